import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";

/** A result as a table: bounded by the service, so that all its rows can be in the page. */
export function Grid({
  label,
  head,
  rows,
  leftOut,
  right = [],
  none,
}: {
  label: string;
  head: string[];
  rows: { key: string; cells: ReactNode[] }[];
  leftOut: number;
  /** Columns of numbers. */
  right?: number[];
  /** Said where there are no rows. */
  none?: string;
}) {
  const { t } = useTranslation();
  if (rows.length === 0) return <p className="text-ink-muted">{none ?? t("ledger.no_entries")}</p>;
  const aligned = (at: number) => cn("px-3 py-1.5", right.includes(at) && "text-right");
  return (
    <>
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys as well
        tabIndex={0}
        aria-label={label}
        className="overflow-x-auto rounded-lg border border-line"
      >
        <table className="w-full text-sm">
          <thead className="bg-canvas text-left text-xs text-ink-muted">
            <tr>
              {head.map((name, at) => (
                <th
                  // biome-ignore lint/suspicious/noArrayIndexKey: columns never move, and two may have one name
                  key={at}
                  scope="col"
                  className={cn(aligned(at), "font-medium whitespace-nowrap")}
                >
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, cells }) => (
              <tr key={key} className="border-t border-line align-top">
                {cells.map((cell, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is known by its column
                  <td key={at} className={aligned(at)}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {leftOut > 0 && (
        <p className="text-xs text-ink-muted">{t("ledger.left_out", { count: leftOut })}</p>
      )}
    </>
  );
}
