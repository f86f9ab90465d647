import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CircleCheck, CircleHelp, CircleX, Hourglass, RotateCw, Send } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type DeliveryIn, type DeliveryOut, readAgain } from "@/api";
import type { Column } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FilterChips } from "@/components/filter-chips";
import { Day, Moment } from "@/components/format";
import { FoundTable } from "@/components/found-table";
import { PageHead } from "@/components/page-head";
import { Total } from "@/components/total";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/select";
import { useAct } from "@/lib/act";
import { cn } from "@/lib/cn";
import { useNames } from "@/lib/names";
import { refusalKey } from "@/lib/reasons";
import { useMay } from "@/lib/session";
import {
  type DeliveriesSearch,
  inOptions,
  outcomes,
  outOptions,
  outStates,
} from "./deliveries-search";

const route = getRouteApi("/inside/deliveries");

export function DeliveriesPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<DeliveriesSearch>) =>
    void navigate({ search: (was) => ({ ...was, ...part }), replace: true });
  const side = search.side ?? "out";
  const chips = search.book
    ? [
        {
          key: "book",
          label: t("filter.ticket"),
          value: search.book,
          remove: () => change({ book: undefined }),
        },
      ]
    : [];
  const filters = (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
      {(["out", "in"] as const).map((one) => (
        <Button
          key={one}
          aria-pressed={side === one}
          className="aria-pressed:bg-accent-soft"
          onClick={() =>
            change({ side: one === "out" ? undefined : one, state: undefined, outcome: undefined })
          }
        >
          {t(`delivery.side.${one}`)}
        </Button>
      ))}
      {side === "out" && (
        <>
          <Select
            label={t("delivery.state")}
            value={search.state ?? "all"}
            options={[
              { value: "all", label: t("filter.all") },
              ...outStates.map((value) => ({ value, label: t(`delivery.of.${value}`) })),
            ]}
            onChange={(value) => change({ state: outStates.find((one) => one === value) })}
          />
          <Select
            label={t("delivery.outcome")}
            value={search.outcome ?? "all"}
            options={[
              { value: "all", label: t("filter.all") },
              ...outcomes.map((value) => ({ value, label: t(`delivery.of.${value}`) })),
            ]}
            onChange={(value) => change({ outcome: outcomes.find((one) => one === value) })}
          />
        </>
      )}
      <FilterChips chips={chips} clear={() => change({ book: undefined })} />
    </div>
  );
  return side === "out" ? (
    <Outwards search={search} filters={filters} />
  ) : (
    <Inwards search={search} filters={filters} />
  );
}

type Part = { search: DeliveriesSearch; filters: React.ReactNode };

/** What was asked of Kimai, and how far it is. */
function Outwards({ search, filters }: Part) {
  const { t } = useTranslation();
  const names = useNames();
  const found = useInfiniteQuery({ ...outOptions(search), placeholderData: keepPreviousData });
  const rows = useMemo(() => found.data?.pages.flatMap(({ items }) => items), [found.data]);
  const columns = useMemo<Column<DeliveryOut>[]>(
    () => [
      {
        id: "what",
        header: t("delivery.what"),
        width: "minmax(0,1fr)",
        narrow: true,
        cell: ({ row: { original: one } }) => (
          <Link
            to="/entries/$entry"
            params={{ entry: entryOf(one.posting) }}
            className="font-medium hover:underline"
          >
            {t(`delivery.op.${opOf(one.op)}`)}{" "}
            <span className="font-normal text-ink-muted">
              {names.inKimai(one.target, "user", one.user_id)} · <Day on={one.day} />
            </span>
          </Link>
        ),
      },
      {
        id: "state",
        header: t("delivery.state"),
        width: "minmax(7rem,min(16rem,34vw))",
        narrow: true,
        cell: ({ row: { original: one } }) => <OutState delivery={one} />,
      },
      {
        id: "attempts",
        header: t("delivery.attempts"),
        width: "5rem",
        right: true,
        cell: ({ row: { original: one } }) => <span className="tabular-nums">{one.attempts}</span>,
      },
      {
        id: "next",
        header: t("delivery.next"),
        width: "7rem",
        cell: ({ row: { original: one } }) =>
          one.next_try_at ? <Moment at={one.next_try_at} style="time" /> : "–",
      },
      {
        id: "queued",
        header: t("delivery.queued"),
        width: "8rem",
        cell: ({ row: { original: one } }) => <Moment at={one.queued_at} />,
      },
      {
        id: "done",
        header: t("delivery.answered"),
        width: "8rem",
        cell: ({ row: { original: one } }) => (one.done_at ? <Moment at={one.done_at} /> : "–"),
      },
    ],
    [t, names],
  );
  const narrowed = search.state !== undefined || search.outcome !== undefined || search.book;
  return (
    <>
      <PageHead
        title={t("nav.deliveries")}
        count={<Total of={found.data?.pages[0]?.total} what="deliveries" />}
      />
      {filters}
      <FoundTable
        found={found}
        label={t("delivery.side.out")}
        columns={columns}
        rows={rows}
        rowId={(one) => `${one.posting} ${one.gen}`}
        empty={
          <Empty
            kind={narrowed ? "no_match" : "nothing_yet"}
            title={t(narrowed ? "delivery.no_match" : "delivery.nothing_out")}
          />
        }
      />
    </>
  );
}

const ops = ["create", "update", "delete", "adopt"] as const;
const opOf = (op: string) => ops.find((known) => known === op) ?? "unknown";

/** The entry that a posting answers: `zammad:desk:12/34` → `zammad:desk:34`. */
const entryOf = (posting: string) => posting.replace(/:\d+\/(\d+).*$/, ":$1");

const looks = {
  written: { icon: CircleCheck, className: "text-ok" },
  refused: { icon: CircleX, className: "text-bad" },
  queued: { icon: Hourglass, className: "text-wait" },
  sent: { icon: Send, className: "text-wait" },
  uncertain: { icon: CircleHelp, className: "text-warn" },
  done: { icon: CircleCheck, className: "text-ink-muted" },
};

function OutState({ delivery }: { delivery: DeliveryOut }) {
  const { t } = useTranslation();
  const state = delivery.outcome ?? delivery.state;
  const { icon: Icon, className } = looks[state];
  return (
    <span
      className={cn("inline-flex max-w-full items-center gap-1.5", className)}
      title={delivery.detail ?? undefined}
    >
      <Icon className="size-3.5 shrink-0" aria-hidden />
      <span className="truncate">
        {t(`delivery.of.${state}`)}
        {delivery.why && `: ${t(`refusal.${refusalKey(delivery.why)}`)}`}
      </span>
    </span>
  );
}

/** What Zammad's webhooks brought. */
function Inwards({ search, filters }: Part) {
  const { t } = useTranslation();
  const mayAsk = useMay("operator");
  const found = useInfiniteQuery({ ...inOptions(search), placeholderData: keepPreviousData });
  const rows = useMemo(() => found.data?.pages.flatMap(({ items }) => items), [found.data]);
  const columns = useMemo<Column<DeliveryIn>[]>(
    () => [
      {
        id: "ticket",
        header: t("delivery.ticket"),
        width: "minmax(0,1fr)",
        narrow: true,
        cell: ({ row: { original: one } }) => (
          <Link
            to="/entries"
            search={{ text: one.book }}
            className="font-medium tabular-nums hover:underline"
          >
            {one.book}
          </Link>
        ),
      },
      {
        id: "times",
        header: t("delivery.times"),
        width: "5rem",
        right: true,
        cell: ({ row: { original: one } }) => <span className="tabular-nums">{one.times}</span>,
      },
      {
        id: "bytes",
        header: t("delivery.size"),
        width: "6rem",
        right: true,
        cell: ({ row: { original: one } }) =>
          one.body_bytes === null ? "–" : t("delivery.bytes", { count: one.body_bytes }),
      },
      {
        id: "hash",
        header: "SHA-256",
        width: "8rem",
        cell: ({ row: { original: one } }) => (
          <code className="text-xs text-ink-muted" title={one.body_sha256 ?? undefined}>
            {one.body_sha256?.slice(0, 12) ?? "–"}
          </code>
        ),
      },
      {
        id: "last",
        header: t("delivery.came"),
        width: "8rem",
        narrow: true,
        cell: ({ row: { original: one } }) => <Moment at={one.last_at} />,
      },
      ...(mayAsk
        ? [
            {
              id: "again",
              header: "",
              width: "8rem",
              right: true,
              cell: ({ row: { original: one } }: { row: { original: DeliveryIn } }) => (
                <ReadAgain book={one.book} />
              ),
            } satisfies Column<DeliveryIn>,
          ]
        : []),
    ],
    [t, mayAsk],
  );
  return (
    <>
      <PageHead
        title={t("nav.deliveries")}
        count={<Total of={found.data?.pages[0]?.total} what="deliveries" />}
      />
      {filters}
      <FoundTable
        found={found}
        label={t("delivery.side.in")}
        columns={columns}
        rows={rows}
        rowId={(one) => `${one.connection} ${one.delivery}`}
        empty={
          <Empty
            kind={search.book ? "no_match" : "nothing_yet"}
            title={t(search.book ? "delivery.no_match" : "delivery.nothing_in")}
          >
            {!search.book && <p>{t("delivery.nothing_in_why")}</p>}
          </Empty>
        }
      />
    </>
  );
}

function ReadAgain({ book }: { book: string }) {
  const { t } = useTranslation();
  const { act, isPending } = useAct(
    (_: null, key) =>
      readAgain({ path: { book }, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("delivery.reading") },
  );
  return (
    <Button size="sm" kind="quiet" disabled={isPending} onClick={() => void act(null)}>
      <RotateCw aria-hidden /> {t("delivery.read_again")}
    </Button>
  );
}
