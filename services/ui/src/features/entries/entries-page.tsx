import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Download, Sparkles } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Entry } from "@/api";
import { type Column, sortingOf } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FilterBox } from "@/components/filter-box";
import { FilterChips } from "@/components/filter-chips";
import { Day, Duration, useZone } from "@/components/format";
import { FoundTable } from "@/components/found-table";
import { PageHead } from "@/components/page-head";
import { StatusMark } from "@/components/status-mark";
import { Total } from "@/components/total";
import { Button } from "@/components/ui/button";
import { Keys } from "@/components/ui/kbd";
import { Select } from "@/components/ui/select";
import { Views } from "@/components/views";
import { useCsv } from "@/lib/csv";
import { dayOf, mondayOf, typed } from "@/lib/filters";
import { type Names, useNames } from "@/lib/names";
import { useSteady } from "@/lib/steady";
import { useShortcuts } from "@/lib/use-shortcuts";
import { type EntriesSearch, entriesOptions, queryOf, states } from "./entries-search";

const StoryDrawer = lazy(() =>
  import("@/components/story/story-drawer").then((all) => ({ default: all.StoryDrawer })),
);
const route = getRouteApi("/inside/entries");
const idOf = ({ entry }: Entry) => entry;
const keys = ["state", "worker", "ticket", "after", "before", "connection"] as const;

export function EntriesPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const zone = useZone();
  const change = (part: Partial<EntriesSearch>) =>
    void navigate({ search: (was) => ({ ...was, ...part }), replace: true });
  const found = useInfiniteQuery({
    ...entriesOptions(search),
    placeholderData: keepPreviousData,
  });
  const truth = useMemo(() => found.data?.pages.flatMap(({ items }) => items), [found.data]);
  const list = useSteady(truth, JSON.stringify([queryOf(search), found.isPlaceholderData]), idOf);
  const rows = useMemo(() => list.rows?.map(({ row }) => row), [list.rows]);
  const { save, isPending } = useCsv("entries", queryOf(search));
  useShortcuts({ fresh: list.renew });
  const names = useNames(rows);
  const columns = useColumns(names);

  function say(line: string) {
    const { found: said, text } = typed(line, keys);
    change({
      ...(text && { text }),
      ...(said.ticket && { ticket: said.ticket }),
      ...(said.connection && { connection: said.connection }),
      ...(said.state && { state: states.find((state) => state === said.state) }),
      ...(said.worker && { agent: Number.parseInt(said.worker, 10) || undefined }),
      ...(said.after && { after: dayOf(said.after) }),
      ...(said.before && { before: dayOf(said.before) }),
    });
  }
  const chip = (key: keyof EntriesSearch, label: string, value: string | undefined) =>
    value === undefined ? [] : [{ key, label, value, remove: () => change({ [key]: undefined }) }];
  const chips = [
    ...chip("text", t("filter.text"), search.text),
    ...chip("ticket", t("filter.ticket"), search.ticket),
    ...chip(
      "agent",
      t("filter.worker"),
      search.agent === undefined
        ? undefined
        : names.worker(search.connection ?? rows?.[0]?.connection ?? "", search.agent),
    ),
    ...chip("connection", t("filter.connection"), search.connection),
    ...chip("after", t("filter.after"), search.after),
    ...chip("before", t("filter.before"), search.before),
  ];
  const clear = () => void navigate({ search: {} });
  const narrowed = chips.length > 0 || search.state !== undefined;
  const monday = mondayOf(new Date(), zone);

  return (
    <>
      <PageHead
        title={t("nav.entries")}
        count={<Total of={found.data?.pages[0]?.total} what="entries" />}
      >
        {list.fresh > 0 && (
          <Button kind="quiet" className="text-accent" onClick={list.renew}>
            <Sparkles aria-hidden /> {t("conflicts.fresh", { count: list.fresh })}{" "}
            <Keys of="fresh" />
          </Button>
        )}
        <Views
          page="entries"
          search={search}
          builtIn={[
            { name: t("views.needs_you"), search: { state: "asks" } },
            { name: t("filter.this_week"), search: { after: monday } },
          ]}
          onGo={(next) => void navigate({ search: next })}
        />
        <Button disabled={isPending} onClick={save}>
          <Download aria-hidden /> CSV
        </Button>
      </PageHead>
      <div className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
        <FilterBox hint={t("entries.filter_hint")} onSay={say} />
        <Select
          label={t("entries.state")}
          value={search.state ?? "all"}
          options={[
            { value: "all", label: t("filter.all") },
            ...states.map((value) => ({ value, label: t(`state.${value}`) })),
          ]}
          onChange={(value) => change({ state: states.find((state) => state === value) })}
        />
        <Button
          aria-pressed={search.after === monday}
          className="aria-pressed:bg-accent-soft"
          onClick={() => change({ after: search.after === monday ? undefined : monday })}
        >
          {t("filter.this_week")}
        </Button>
        <FilterChips chips={chips} clear={clear} />
      </div>
      <FoundTable
        found={found}
        label={t("nav.entries")}
        columns={columns}
        rows={rows}
        rowId={({ entry }) => entry}
        sorting={sortingOf(`${search.up ? "" : "-"}${search.sort ?? "created_at"}`)}
        onSort={({ by, down }) =>
          change({ sort: by as EntriesSearch["sort"], up: down ? undefined : true })
        }
        onPeek={({ entry }) => change({ peek: entry })}
        empty={
          narrowed ? (
            <Empty kind="no_match" title={t("entries.no_match")}>
              <Button onClick={clear}>{t("do.clear")}</Button>
            </Empty>
          ) : (
            <Empty kind="nothing_yet" title={t("entries.nothing_yet")}>
              <p>{t("entries.nothing_yet_why")}</p>
            </Empty>
          )
        }
      />
      <Suspense>
        {search.peek && (
          <StoryDrawer entry={search.peek} onClose={() => change({ peek: undefined })} />
        )}
      </Suspense>
    </>
  );
}

function useColumns(names: Names): Column<Entry>[] {
  const { t } = useTranslation();
  return useMemo<Column<Entry>[]>(
    () => [
      {
        id: "ticket_number",
        header: t("entries.ticket"),
        width: "5.5rem",
        narrow: true,
        cell: ({ row: { original: entry } }) => (
          <Link
            to="/entries/$entry"
            params={{ entry: entry.entry }}
            className="text-ink-muted tabular-nums hover:underline"
          >
            #{entry.ticket_number}
          </Link>
        ),
      },
      {
        id: "title",
        header: t("entries.title"),
        enableSorting: false,
        width: "minmax(0,1fr)",
        narrow: true,
        cell: ({ row: { original: entry } }) => (
          <span className="font-medium">{entry.ticket_title ?? t("entries.no_title")}</span>
        ),
      },
      {
        id: "worker",
        header: t("entries.worker"),
        enableSorting: false,
        width: "9rem",
        cell: ({ row: { original: entry } }) => names.worker(entry.connection, entry.agent_id),
      },
      {
        id: "state",
        header: t("entries.state"),
        enableSorting: false,
        width: "10rem",
        cell: ({ row: { original: entry } }) => <StatusMark state={entry.state} />,
      },
      {
        id: "day",
        header: t("entries.day"),
        width: "8.5rem",
        cell: ({ row: { original: entry } }) => <Day on={entry.day} />,
      },
      {
        id: "duration_seconds",
        header: "Zammad",
        width: "4.5rem",
        right: true,
        narrow: true,
        cell: ({ row: { original: entry } }) => (
          <Duration seconds={entry.duration_seconds} className="font-medium" />
        ),
      },
      {
        id: "held",
        header: "Kimai",
        enableSorting: false,
        width: "4.5rem",
        right: true,
        cell: ({ row: { original: entry } }) =>
          entry.held ? (
            <Duration seconds={entry.held.duration_seconds} />
          ) : (
            <span className="text-ink-faint">–</span>
          ),
      },
    ],
    [t, names],
  );
}
