import { useVirtualizer } from "@tanstack/react-virtual";
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  Copy,
  GitCompareArrows,
  Lock,
  type LucideIcon,
  MapPinned,
  Minus,
  Pencil,
  Scale,
  Trash2,
} from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Conflict, Counted } from "@/api";
import { Duration } from "@/components/format";
import { cn } from "@/lib/cn";
import { type Names, useNames } from "@/lib/names";
import { type ReasonKey, reasonKey } from "@/lib/reasons";
import type { Steady } from "@/lib/steady";

const icons: Record<ReasonKey, LucideIcon> = {
  changed_on_both_sides: GitCompareArrows,
  changed_in_kimai: Pencil,
  customer_changed: Pencil,
  deleted_in_kimai: Trash2,
  locked_in_kimai: Lock,
  retracted_after_export: Lock,
  closed_period: Lock,
  lockdown_in_kimai: Lock,
  possible_duplicate: Copy,
  duplicate_in_kimai: Copy,
  orphan_in_kimai: Copy,
  unmapped_worker: MapPinned,
  unmapped_customer: MapPinned,
  unmapped_activity: MapPinned,
  negative_balance: Minus,
  unit_unconfirmed: Scale,
  refused_by_kimai: Ban,
  missing_permission: Ban,
  overlap: Ban,
  day_full: Ban,
  project_closed: Ban,
  budget_used: Ban,
  unknown: CircleSlash,
};

type Line =
  | { kind: "head"; reason: string }
  | { kind: "row"; at: number; conflict: Conflict; gone: boolean };

/** The inbox: alike questions together, however many there are; only those in view are in the page. */
export function ConflictList({
  rows,
  counts,
  chosen,
  selected,
  sending,
  onChoose,
  onSelect,
  atEnd,
}: {
  rows: Steady<Conflict>[];
  counts: Counted[];
  chosen: string | undefined;
  selected: ReadonlySet<string>;
  /** Answered in this page, and not yet heard of. */
  sending: ReadonlySet<string>;
  onChoose: (conflict: Conflict) => void;
  onSelect: (conflict: Conflict, range: boolean) => void;
  /** The last rows are in view: more may be wanted. */
  atEnd: () => void;
}) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLUListElement>(null);
  const names = useNames(useMemo(() => rows.map(({ row }) => row), [rows]));
  const lines = useMemo(() => grouped(rows), [rows]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (at) => (lines[at]?.kind === "head" ? 28 : 48),
    overscan: 10,
  });
  const items = virtual.getVirtualItems();
  const isAtEnd = (items.at(-1)?.index ?? 0) >= lines.length - 20;
  useEffect(() => {
    if (isAtEnd) atEnd();
  }, [isAtEnd, atEnd]);
  const line = lines.findIndex((one) => one.kind === "row" && one.conflict.conflict === chosen);
  useEffect(() => {
    if (line >= 0) virtual.scrollToIndex(line);
  }, [line, virtual]);

  return (
    <ul
      ref={scroller}
      aria-label={t("conflicts.list")}
      className="min-h-0 flex-1 overflow-auto [contain:strict]"
    >
      <li aria-hidden style={{ height: virtual.getTotalSize() }} />
      {items.map((item) => {
        const one = lines[item.index];
        if (!one) return null;
        const place = {
          className: "absolute inset-x-0 px-1.5",
          style: { transform: `translateY(${item.start}px)`, top: 0 },
        };
        if (one.kind === "head") {
          const count = counts.find(({ key }) => key === one.reason)?.count;
          return (
            <li key={`head ${one.reason}`} {...place}>
              <h2 className="flex h-7 items-end gap-2 px-2.5 pb-1 text-xs font-medium text-ink-muted">
                {t(`reason.${reasonKey(one.reason)}.title`)}
                {count !== undefined && <span className="tabular-nums">{count}</span>}
              </h2>
            </li>
          );
        }
        return (
          <li key={one.conflict.conflict} {...place}>
            <Row
              conflict={one.conflict}
              gone={one.gone}
              isChosen={one.conflict.conflict === chosen}
              isSelected={selected.has(one.conflict.conflict)}
              isSending={sending.has(one.conflict.conflict)}
              names={names}
              onChoose={onChoose}
              onSelect={onSelect}
            />
          </li>
        );
      })}
    </ul>
  );
}

function grouped(rows: Steady<Conflict>[]): Line[] {
  const lines: Line[] = [];
  let reason: string | null = null;
  rows.forEach(({ row, gone }, at) => {
    if (row.reason !== reason) {
      reason = row.reason;
      lines.push({ kind: "head", reason });
    }
    lines.push({ kind: "row", at, conflict: row, gone });
  });
  return lines;
}

function Row({
  conflict,
  gone,
  isChosen,
  isSelected,
  isSending,
  names,
  onChoose,
  onSelect,
}: {
  conflict: Conflict;
  names: Names;
  gone: boolean;
  isChosen: boolean;
  isSelected: boolean;
  isSending: boolean;
  onChoose: (conflict: Conflict) => void;
  onSelect: (conflict: Conflict, range: boolean) => void;
}) {
  const { t } = useTranslation();
  const Icon = icons[reasonKey(conflict.reason)];
  const work = conflict.want ?? conflict.held;
  const title = conflict.ticket_title ?? `#${conflict.ticket_number ?? "?"}`;
  return (
    <div
      className={cn(
        "group grid h-12 grid-cols-[1.25rem_minmax(0,1fr)_auto] items-center gap-x-2 rounded-md px-2.5 hover:bg-hover",
        isChosen && "bg-selected",
        isSelected && "bg-accent-soft",
        gone && "opacity-60",
      )}
    >
      <span className="relative grid size-5 place-items-center">
        <Icon
          className={cn(
            "size-3.5 text-warn group-focus-within:opacity-0 group-hover:opacity-0",
            isSelected && "opacity-0",
          )}
          aria-hidden
        />
        <input
          type="checkbox"
          aria-label={t("conflicts.select", { title })}
          checked={isSelected}
          disabled={gone}
          onChange={() => undefined}
          onClick={(event) => onSelect(conflict, event.shiftKey)}
          className={cn(
            "absolute size-4 accent-accent opacity-0 group-focus-within:opacity-100 group-hover:opacity-100",
            isSelected && "opacity-100",
          )}
        />
      </span>
      <button
        type="button"
        data-row={conflict.conflict}
        aria-current={isChosen || undefined}
        onClick={() => onChoose(conflict)}
        className="min-w-0 text-left"
      >
        <span className="block truncate font-medium">{title}</span>
        <span className="block truncate text-xs text-ink-muted">
          <Whereabouts conflict={conflict} gone={gone} isSending={isSending} />
          {conflict.agent_id !== null && names.worker(conflict.connection, conflict.agent_id)}
        </span>
      </button>
      {work && <Duration seconds={work.duration_seconds} />}
    </div>
  );
}

/** "Sent" is only said of what was sent, and "done" only once the fact is there. */
function Whereabouts({
  conflict,
  gone,
  isSending,
}: {
  conflict: Conflict;
  gone: boolean;
  isSending: boolean;
}) {
  const { t } = useTranslation();
  if (gone || !conflict.open) {
    return (
      <span className="text-ok">
        <CircleCheck className="mr-1 inline size-3" aria-hidden />
        {t("conflicts.done")} ·{" "}
      </span>
    );
  }
  const state = isSending ? "held" : conflict.on_its_way?.state;
  if (!state) return null;
  return (
    <span className="text-wait">
      <CircleDashed className="mr-1 inline size-3" aria-hidden />
      {t(`conflicts.on_its_way.${state}`)} ·{" "}
    </span>
  );
}
