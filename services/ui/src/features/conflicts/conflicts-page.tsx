import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Download, Sparkles } from "lucide-react";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conflict, ManyBody } from "@/api";
import {
  countConflictsOptions,
  readConflictOptions,
  readOverviewOptions,
} from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { FilterBox } from "@/components/filter-box";
import { FilterChips } from "@/components/filter-chips";
import { Moment } from "@/components/format";
import { ListAndDetail } from "@/components/list-and-detail";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Total } from "@/components/total";
import { Button } from "@/components/ui/button";
import { Keys } from "@/components/ui/kbd";
import { Select } from "@/components/ui/select";
import { Views } from "@/components/views";
import { useCommands } from "@/lib/commands";
import { useCsv } from "@/lib/csv";
import { dayOf, mondayOf, typed } from "@/lib/filters";
import { ownZone } from "@/lib/moments";
import { useNames } from "@/lib/names";
import { type Choice, mappingFor, outcomeOf } from "@/lib/outcomes";
import { reasonKey } from "@/lib/reasons";
import { every, kept, nothing, ranged, type Selection, toggled } from "@/lib/selection";
import { useMay } from "@/lib/session";
import { useSteady } from "@/lib/steady";
import { useShortcuts } from "@/lib/use-shortcuts";
import { useIsWide } from "@/lib/use-wide";
import { BulkBar } from "./bulk-bar";
import { ConflictDetail } from "./conflict-detail";
import { ConflictList } from "./conflict-list";
import { type ConflictsSearch, conflictsOptions, narrowing } from "./conflicts-search";
import { useResolve } from "./use-resolve";

const StoryDrawer = lazy(() =>
  import("@/components/story/story-drawer").then((all) => ({ default: all.StoryDrawer })),
);
const BulkPreview = lazy(() =>
  import("./bulk-preview").then((all) => ({ default: all.BulkPreview })),
);
const route = getRouteApi("/inside/conflicts");
const keys = ["reason", "worker", "connection", "after", "before"] as const;
const idOf = ({ conflict }: Conflict) => conflict;

export function ConflictsPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const go = useNavigate();
  const isWide = useIsWide();
  const mayAnswer = useMay("operator");
  const [selection, setSelection] = useState<Selection>(nothing);
  const [asking, setAsking] = useState<ManyBody | null>(null);
  const change = useCallback(
    (part: Partial<ConflictsSearch>) =>
      void navigate({ search: (was) => ({ ...was, ...part }), replace: true }),
    [navigate],
  );

  const filters = narrowing(search);
  const found = useInfiniteQuery({
    ...conflictsOptions(search),
    placeholderData: keepPreviousData,
  });
  const { data: counts } = useQuery({
    ...countConflictsOptions({ query: filters }),
    placeholderData: keepPreviousData,
  });
  const truth = useMemo(() => found.data?.pages.flatMap(({ items }) => items), [found.data]);
  const list = useSteady(truth, JSON.stringify([filters, found.isPlaceholderData]), idOf);
  const rows = list.rows ?? [];
  const order = useMemo(
    () => (list.rows ?? []).filter(({ gone }) => !gone).map(({ row }) => row.conflict),
    [list.rows],
  );
  const inList = rows.find(({ row }) => row.conflict === search.conflict);
  const isLive = inList !== undefined && !inList.gone;
  // what is answered since, or further down than was read: the list does not know how it stands
  const alone = useQuery({
    ...readConflictOptions({ path: { conflict: search.conflict ?? "" } }),
    enabled: search.conflict !== undefined && list.rows !== undefined && !isLive,
  });
  const first = isWide ? rows.find(({ gone }) => !gone)?.row : undefined;
  const named = isLive ? inList.row : (alone.data ?? inList?.row);
  const chosen = search.conflict === undefined ? first : named;
  const held = kept(selection, order);

  const { sending, undo, resolve, resolveMany, busy } = useResolve({
    onUndone: ({ items }) => {
      const back = items[0]?.conflict;
      if (back) {
        change({ conflict: back });
        focusRow(back);
      }
    },
  });

  function choose(conflict: Conflict | undefined) {
    if (!conflict) return;
    change({ conflict: conflict.conflict });
    focusRow(conflict.conflict);
  }
  function step(by: number): Conflict | undefined {
    const at = rows.findIndex(({ row }) => row.conflict === chosen?.conflict);
    return rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.row;
  }
  /** The next that nobody has answered, below and then above. */
  function next(after: Conflict): Conflict | undefined {
    const open = ({ row, gone }: { row: Conflict; gone: boolean }) =>
      !gone && row.open && !row.on_its_way && row.conflict !== after.conflict;
    const at = rows.findIndex(({ row }) => row.conflict === after.conflict);
    return (rows.slice(at + 1).find(open) ?? rows.slice(0, at).findLast(open))?.row;
  }
  function answer(choice: Choice, more: { sheet?: string; comment?: string } = {}) {
    if (!mayAnswer || !chosen || chosen.on_its_way || sending.has(chosen.conflict)) return;
    if (!chosen.choices.includes(choice)) return;
    if (choice === "adopt" && !more.sheet && chosen.candidates.length > 1) return;
    if (outcomeOf(choice, chosen) === "delete") {
      setAsking({ choice, conflicts: [{ conflict: chosen.conflict, gen: chosen.gen }] });
      return;
    }
    const following = next(chosen);
    void resolve({ conflict: chosen, choice, ...more });
    if (isWide) choose(following);
    else change({ conflict: undefined });
  }
  function answerMany(choice: Choice) {
    if (held.all) {
      setAsking({ choice, filter: filters });
      return;
    }
    const gens = new Map(rows.map(({ row }) => [row.conflict, row.gen]));
    setAsking({
      choice,
      conflicts: [...held.ids].map((conflict) => ({ conflict, gen: gens.get(conflict) ?? 0 })),
    });
  }
  async function doMany(count: number) {
    if (!asking) return;
    const resolution = await resolveMany({ ...asking, count });
    setAsking(null);
    if (!resolution) return;
    const failed = resolution.items.filter(({ state }) => state === "skipped");
    setSelection({ ids: new Set(failed.map(({ conflict }) => conflict)), all: false, from: null });
  }
  const offered = useMemo(() => {
    const some = rows.filter(({ row, gone }) => !gone && held.ids.has(row.conflict));
    return new Set(some.flatMap(({ row }) => row.choices));
  }, [rows, held]);

  useShortcuts({
    next: () => choose(step(1)),
    previous: () => choose(step(-1)),
    open: () => chosen?.entry && go({ to: "/entries/$entry", params: { entry: chosen.entry } }),
    peek: () => chosen?.entry && change({ peek: true }),
    select: () => chosen && setSelection(toggled(held, chosen.conflict)),
    selectNext: () => extend(step(1)),
    selectPrevious: () => extend(step(-1)),
    selectAll: () => setSelection(every(order)),
    clear: () => setSelection(nothing),
    fresh: () => list.renew(),
    takeZammad: () => answer("zammad"),
    keepKimai: () => answer("kimai"),
    adopt: () => answer("adopt"),
    anyway: () => answer("anyway"),
    retry: () => chosen && outcomeOf("zammad", chosen) === "try_again" && answer("zammad"),
    mapNow: () => {
      const mapping = chosen && mayAnswer && mappingFor(chosen);
      if (mapping && chosen.choices.length > 0) void go({ to: "/mappings", search: mapping });
    },
    undo: () => {
      const shown = chosen?.on_its_way;
      void undo(mayAnswer && shown?.state === "held" ? shown.resolution_id : undefined);
    },
  });
  function extend(to: Conflict | undefined) {
    if (!to || !chosen) return;
    const begun = held.from ? held : ranged(held, chosen.conflict, order);
    setSelection(ranged(begun, to.conflict, order));
    choose(to);
  }
  useCommands(
    chosen && mayAnswer && !chosen.on_its_way
      ? chosen.choices.map((choice) => ({
          value: `answer-${choice}`,
          label: t(`outcome.${outcomeOf(choice, chosen)}.label`),
          act: () => answer(choice),
        }))
      : [],
  );
  const loadMore = useCallback(() => {
    if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
  }, [found.hasNextPage, found.isFetchingNextPage, found.fetchNextPage]);

  return (
    <>
      <ListAndDetail
        back={() => change({ conflict: undefined })}
        list={
          <>
            <PageHead
              title={t("nav.conflicts")}
              count={<Total of={counts?.total} what="conflicts" />}
            >
              <Views
                page="conflicts"
                search={search}
                builtIn={[
                  { name: t("views.locked"), search: { reason: "locked_in_kimai" } },
                  {
                    name: t("filter.this_week"),
                    search: { after: mondayOf(new Date(), ownZone()) },
                  },
                ]}
                onGo={(next) => void navigate({ search: next })}
              />
              <CsvButton search={search} />
            </PageHead>
            <Filters search={search} change={change} counts={counts?.reasons ?? []} />
            {held.ids.size > 0 && mayAnswer && (
              <BulkBar
                count={held.ids.size}
                matching={counts?.total.count ?? held.ids.size}
                all={held.all}
                offered={offered}
                onAll={() => setSelection({ ...held, all: true })}
                onClear={() => setSelection(nothing)}
                onChoose={answerMany}
              />
            )}
            {(list.fresh > 0 || list.gone > 0) && (
              <Button
                kind="quiet"
                size="sm"
                className="mx-3 my-1 text-accent"
                onClick={() => {
                  list.renew();
                }}
              >
                <Sparkles aria-hidden />
                {list.fresh > 0
                  ? t("conflicts.fresh", { count: list.fresh })
                  : t("conflicts.clear_done", { count: list.gone })}
                <Keys of="fresh" />
              </Button>
            )}
            {found.error && !found.data && (
              <ProblemPanel error={found.error} retry={found.refetch} />
            )}
            {!list.rows && !found.error && <SkeletonRows />}
            {list.rows && rows.length === 0 && <NothingThere search={search} change={change} />}
            {rows.length > 0 && (
              <ConflictList
                rows={rows}
                counts={counts?.reasons ?? []}
                chosen={chosen?.conflict}
                selected={held.ids}
                sending={sending}
                onChoose={(conflict) => change({ conflict: conflict.conflict })}
                onSelect={(conflict, range) =>
                  setSelection(
                    range
                      ? ranged(held, conflict.conflict, order)
                      : toggled(held, conflict.conflict),
                  )
                }
                atEnd={loadMore}
              />
            )}
          </>
        }
        detail={
          chosen ? (
            <ConflictDetail
              key={chosen.conflict}
              conflict={chosen}
              mayAnswer={mayAnswer}
              onAnswer={answer}
              onUndo={(resolution) => void undo(resolution)}
            />
          ) : alone.error ? (
            <ProblemPanel error={alone.error} retry={alone.refetch} />
          ) : null
        }
      />
      <Suspense>
        {asking && (
          <BulkPreview
            body={asking}
            busy={busy}
            onClose={() => setAsking(null)}
            onDo={(count) => void doMany(count)}
          />
        )}
        {search.peek && chosen?.entry && (
          <StoryDrawer entry={chosen.entry} onClose={() => change({ peek: undefined })} />
        )}
      </Suspense>
    </>
  );
}

/** After the list has moved it into view. */
function focusRow(conflict: string): void {
  setTimeout(() =>
    document.querySelector<HTMLElement>(`[data-row="${CSS.escape(conflict)}"]`)?.focus(),
  );
}

function Filters({
  search,
  change,
  counts,
}: {
  search: ConflictsSearch;
  change: (part: Partial<ConflictsSearch>) => void;
  counts: { key: string; count: number }[];
}) {
  const { t } = useTranslation();
  const names = useNames();
  function say(line: string) {
    const { found, text } = typed(line, keys);
    change({
      conflict: undefined,
      ...(text && { text }),
      ...(found.reason && { reason: found.reason }),
      ...(found.connection && { connection: found.connection }),
      ...(found.worker && { agent: Number.parseInt(found.worker, 10) || undefined }),
      ...(found.after && { after: dayOf(found.after) }),
      ...(found.before && { before: dayOf(found.before) }),
    });
  }
  const chip = (key: keyof ConflictsSearch, label: string, value: string | undefined) =>
    value === undefined ? [] : [{ key, label, value, remove: () => change({ [key]: undefined }) }];
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line p-3">
      <FilterBox hint={t("conflicts.filter_hint")} onSay={say} />
      <Select
        label={t("filter.reason")}
        value={search.reason ?? "all"}
        className="w-full"
        options={[
          { value: "all", label: t("filter.all") },
          ...counts.map(({ key, count }) => ({
            value: key,
            label: `${t(`reason.${reasonKey(key)}.title`)} (${count})`,
          })),
        ]}
        onChange={(value) =>
          change({ reason: value === "all" ? undefined : value, conflict: undefined })
        }
      />
      <FilterChips
        chips={[
          ...chip("text", t("filter.text"), search.text),
          ...chip(
            "agent",
            t("filter.worker"),
            search.agent === undefined
              ? undefined
              : names.worker(search.connection ?? "", search.agent),
          ),
          ...chip("connection", t("filter.connection"), search.connection),
          ...chip("after", t("filter.after"), search.after),
          ...chip("before", t("filter.before"), search.before),
        ]}
        clear={() =>
          change({
            text: undefined,
            agent: undefined,
            connection: undefined,
            after: undefined,
            before: undefined,
            reason: undefined,
          })
        }
      />
    </div>
  );
}

function CsvButton({ search }: { search: ConflictsSearch }) {
  const { t } = useTranslation();
  const { save, isPending } = useCsv("conflicts", narrowing(search));
  return (
    <Button
      kind="quiet"
      size="icon"
      aria-label={t("do.csv")}
      title={t("do.csv")}
      disabled={isPending}
      onClick={save}
    >
      <Download aria-hidden />
    </Button>
  );
}

/** Three of the four kinds of nothing: done, not under this filter, and not to be known. */
function NothingThere({
  search,
  change,
}: {
  search: ConflictsSearch;
  change: (part: Partial<ConflictsSearch>) => void;
}) {
  const { t } = useTranslation();
  const { data: overview } = useQuery(readOverviewOptions());
  const narrowed = Object.values(narrowing(search)).some((value) => value !== undefined);
  if (narrowed) {
    return (
      <Empty kind="no_match" title={t("conflicts.no_match")}>
        <Button
          onClick={() =>
            change({ reason: undefined, agent: undefined, text: undefined, connection: undefined })
          }
        >
          {t("do.clear")}
        </Button>
      </Empty>
    );
  }
  const unseen = overview?.connections.filter(
    ({ word }) => word === "late" || word === "never_ran",
  );
  if (unseen && unseen.length > 0) {
    return (
      <Empty kind="cannot_know" title={t("overview.cannot_know")}>
        <p>{t("overview.cannot_know_why", { names: unseen.map(({ name }) => name).join(", ") })}</p>
      </Empty>
    );
  }
  return (
    <Empty kind="all_done" title={t("overview.all_done")}>
      {overview?.last_swept_at && (
        <p>
          {t("overview.last_checked")} <Moment at={overview.last_swept_at} ago />
        </p>
      )}
    </Empty>
  );
}
