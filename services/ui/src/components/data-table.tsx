import {
  type ColumnDef,
  FlexRender,
  type RowData,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { useRowHeight } from "@/lib/look";
import { useShortcuts } from "@/lib/use-shortcuts";

/** The server sorts and filters: the table shows. */
const features = tableFeatures({ rowSortingFeature });
export type Column<Row extends RowData> = ColumnDef<typeof features, Row, unknown> & {
  id: string;
  /** Of the grid: `5rem`, `minmax(0,1fr)`. */
  width: string;
  right?: boolean;
  /** Also where there is little room. */
  narrow?: boolean;
};

export type Sorting = { by: string; down: boolean };

/** `-created_at`, as the API writes it. */
export const sortingOf = (text: string): Sorting => ({
  by: text.replace(/^-/, ""),
  down: text.startsWith("-"),
});

/**
 * Rows of one kind, any number of them: only those in view are in the page.
 *
 * A row's first link is what `Enter` opens; `j`, `k` and the arrows move the focus from one to the next.
 */
export function DataTable<Row extends RowData>({
  label,
  columns,
  rows,
  rowId,
  sorting,
  onSort,
  onPeek,
  more,
  empty,
}: {
  label: string;
  columns: Column<Row>[];
  /** Undefined while the first ones are on their way. */
  rows: Row[] | undefined;
  rowId: (row: Row) => string;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  onPeek?: (row: Row) => void;
  more?: { there: boolean; loading: boolean; load: () => unknown };
  empty: ReactNode;
}) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = useRowHeight();
  const [active, setActive] = useState(-1);
  const table = useTable({
    features,
    columns,
    data: rows ?? none,
    getRowId: rowId,
    manualSorting: true,
    enableSortingRemoval: false,
    state: { sorting: sorting ? [{ id: sorting.by, desc: sorting.down }] : [] },
    onSortingChange: (next) => {
      const [wanted] = typeof next === "function" ? next(asked(sorting)) : next;
      if (wanted) onSort?.({ by: wanted.id, down: wanted.desc });
    },
  });
  const shown = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  useEffect(() => {
    if (rowHeight) virtual.measure();
  }, [rowHeight, virtual]);
  const items = virtual.getVirtualItems();
  const atEnd = (items.at(-1)?.index ?? 0) >= shown.length - 20;
  useEffect(() => {
    if (atEnd && more?.there && !more.loading) void more.load();
  }, [atEnd, more]);

  function move(by: number) {
    const next = Math.max(0, Math.min(shown.length - 1, active + by));
    setActive(next);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-row="${next}"] a[href]`)?.focus(),
    );
  }
  const current = shown[active];
  useShortcuts({
    next: () => move(1),
    previous: () => move(-1),
    ...(onPeek && { peek: () => current && onPeek(current.original) }),
  });

  const widths = {
    "--wide": columns.map(({ width }) => width).join(" "),
    "--narrow": columns
      .filter(({ narrow }) => narrow)
      .map(({ width }) => width)
      .join(" "),
  } as React.CSSProperties;
  const line = "grid grid-cols-(--narrow) gap-x-3 px-4 md:grid-cols-(--wide) md:px-6";
  const look = (id: string) => {
    const { narrow, right } = columns.find((column) => column.id === id) ?? {};
    return { "max-md:hidden": !narrow, "justify-end text-right": right };
  };

  return (
    <section
      ref={scroller}
      className="min-h-0 flex-1 overflow-auto outline-offset-[-2px] [contain:strict]"
      aria-label={label}
      aria-busy={rows === undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
    >
      <table className="grid" style={widths} aria-rowcount={more?.there ? -1 : shown.length + 1}>
        <thead className="sticky top-0 z-10 grid bg-surface">
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className={cn(line, "border-b border-line")}>
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted();
                return (
                  <th
                    key={header.id}
                    scope="col"
                    aria-sort={
                      sorted ? (sorted === "desc" ? "descending" : "ascending") : undefined
                    }
                    className={cn(
                      "flex h-8 items-center text-left text-xs font-medium text-ink-muted",
                      look(header.column.id),
                    )}
                  >
                    {onSort && header.column.getCanSort() ? (
                      <button
                        type="button"
                        className="-mx-1 inline-flex h-6 items-center gap-1 rounded-sm px-1 hover:bg-hover hover:text-ink"
                        onClick={header.column.getToggleSortingHandler()}
                      >
                        <FlexRender header={header} />
                        {sorted === "asc" && <ArrowUp className="size-3" aria-hidden />}
                        {sorted === "desc" && <ArrowDown className="size-3" aria-hidden />}
                      </button>
                    ) : (
                      <FlexRender header={header} />
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody className="relative grid" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = shown[item.index];
            if (!row) return null;
            return (
              <tr
                key={row.id}
                data-row={item.index}
                aria-rowindex={item.index + 2}
                data-active={item.index === active || undefined}
                className={cn(
                  line,
                  "absolute h-(--row) w-full items-center border-b border-line hover:bg-hover data-active:bg-selected",
                )}
                style={{ transform: `translateY(${item.start}px)` }}
                onFocus={() => setActive(item.index)}
              >
                {row.getAllCells().map((cell) => (
                  <td key={cell.id} className={cn("min-w-0 truncate", look(cell.column.id))}>
                    <FlexRender cell={cell} />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows === undefined && <SkeletonRows />}
      {rows?.length === 0 && empty}
      {more?.there && (
        <div className="p-3 text-center">
          <Button size="sm" kind="quiet" disabled={more.loading} onClick={() => void more.load()}>
            {more.loading ? t("loading") : t("do.more")}
          </Button>
        </div>
      )}
    </section>
  );
}

const none: never[] = [];
const asked = (sorting?: Sorting) => (sorting ? [{ id: sorting.by, desc: sorting.down }] : []);
