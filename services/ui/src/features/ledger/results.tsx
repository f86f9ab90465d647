import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type {
  AsOfResult,
  CompareResult,
  JobStory,
  RebuildResult,
  ResyncResult,
  Standing,
  Summary,
  WhatIfResult,
} from "@/api";
import { Day, Duration } from "@/components/format";
import { StatusMark } from "@/components/status-mark";
import { useNames } from "@/lib/names";
import { reasonKey } from "@/lib/reasons";
import { useSourceKey } from "@/lib/source-keys";
import { Grid } from "./grid";

type Result = NonNullable<JobStory["result"]>;
type Titles = JobStory["titles"];

export function ResultOf({ result, titles }: { result: Result; titles: Titles }) {
  const { t } = useTranslation();
  switch (result.kind) {
    case "as_of":
      return <AsOf result={result} titles={titles} />;
    case "compare":
      return <Compared result={result} titles={titles} />;
    case "what_if":
      return <WhatIf result={result} />;
    case "resync":
      return <Resynced result={result} titles={titles} />;
    case "rebuild":
      return <Rebuilt result={result} />;
    case "drop_old":
      return <p>{t(result.dropped === false ? "ledger.none_kept" : "ledger.dropped")}</p>;
  }
}

const sourceOf = (entry: string): string => entry.split(":")[1] ?? "";

/** Customers as Zammad calls them. */
function useCustomer(shown: { source: string; customer: string }[]) {
  const keyed = useMemo(
    () =>
      shown.map(({ source, customer }) => ({
        kind: "customer" as const,
        source,
        source_key: customer,
      })),
    [shown],
  );
  const named = useSourceKey(keyed);
  return (source: string, customer: string) =>
    named({ kind: "customer", source, source_key: customer });
}

function Added({ of, name }: { of: Summary; name?: string }) {
  const { t } = useTranslation();
  return (
    <p>
      {name && <span className="text-ink-muted">{name}: </span>}
      {t("ledger.entries", { count: of.entries })} · <Duration seconds={of.net_seconds} />{" "}
      {t("ledger.wanted")} · <Duration seconds={of.held_seconds} /> {t("ledger.held")}
    </p>
  );
}

function AsOf({ result, titles }: { result: AsOfResult; titles: Titles }) {
  const { t } = useTranslation();
  const { entries } = result;
  const whose = useMemo(
    () => entries.map(({ entry, agent_id }) => ({ connection: sourceOf(entry), agent_id })),
    [entries],
  );
  const customers = useMemo(
    () => entries.map(({ entry, customer }) => ({ source: sourceOf(entry), customer })),
    [entries],
  );
  const names = useNames(whose);
  const customer = useCustomer(customers);
  return (
    <>
      <Added of={result.summary} />
      <Grid
        label={t("ledger.result")}
        head={[
          t("ledger.entry"),
          t("ledger.customer"),
          t("ledger.worker"),
          t("ledger.day"),
          t("ledger.in_zammad"),
          t("ledger.in_kimai"),
          t("ledger.standing"),
        ]}
        right={[4, 5]}
        leftOut={result.left_out}
        rows={entries.map((one) => ({
          key: one.entry,
          cells: [
            <EntryLink key="entry" of={one} title={titles[one.book]} />,
            customer(sourceOf(one.entry), one.customer),
            names.worker(sourceOf(one.entry), one.agent_id),
            <Day key="day" on={one.day} />,
            <Duration key="zammad" seconds={one.duration_seconds} />,
            one.held ? <Duration key="kimai" seconds={one.held.duration_seconds} /> : "–",
            <Stood key="stood" as={one} />,
          ],
        }))}
      />
    </>
  );
}

function EntryLink({ of, title }: { of: Standing; title: string | null | undefined }) {
  return (
    <Link to="/entries/$entry" params={{ entry: of.entry }} className="hover:underline">
      #{of.ticket_number} <span className="text-ink-muted">{title}</span>
    </Link>
  );
}

function Stood({ as }: { as: Standing | null }) {
  const { t } = useTranslation();
  if (!as) return <span className="text-ink-muted">{t("ledger.not_known")}</span>;
  return (
    <>
      <StatusMark state={as.state} />
      {as.reason && (
        <span className="block text-xs text-ink-muted">
          {t(`reason.${reasonKey(as.reason)}.title`)}
        </span>
      )}
    </>
  );
}

function Compared({ result, titles }: { result: CompareResult; titles: Titles }) {
  const { t } = useTranslation();
  const held = (one: Standing | null) =>
    one?.held ? <Duration seconds={one.held.duration_seconds} /> : "–";
  return (
    <>
      <div>
        <Added of={result.first} name={t("ledger.first")} />
        <Added of={result.second} name={t("ledger.second")} />
      </div>
      <Grid
        label={t("ledger.result")}
        head={[
          t("ledger.entry"),
          t("ledger.first"),
          t("ledger.held"),
          t("ledger.second"),
          t("ledger.held"),
        ]}
        right={[2, 4]}
        leftOut={result.left_out}
        none={t("ledger.no_change")}
        rows={result.changes.map(({ entry, before, after }) => {
          const some = after ?? before;
          return {
            key: entry,
            cells: [
              some ? <EntryLink key="entry" of={some} title={titles[some.book]} /> : entry,
              <Stood key="first" as={before} />,
              held(before),
              <Stood key="second" as={after} />,
              held(after),
            ],
          };
        })}
      />
    </>
  );
}

function WhatIf({ result }: { result: WhatIfResult }) {
  const { t } = useTranslation();
  const names = useNames();
  const customer = useCustomer(none);
  return (
    <>
      <p>{t("ledger.moved", { count: result.moved })}</p>
      <Grid
        label={t("ledger.result")}
        head={[
          t("ledger.customer"),
          t("ledger.project"),
          t("ledger.month"),
          t("ledger.before"),
          t("ledger.after"),
          t("ledger.difference"),
        ]}
        right={[3, 4, 5]}
        leftOut={result.differences_left_out}
        none={t("ledger.no_difference")}
        rows={result.differences.map((one) => ({
          key: [one.customer, one.target, one.project_id, one.month].join(" "),
          cells: [
            customer("", one.customer),
            one.project_id === null
              ? t("ledger.nowhere")
              : names.inKimai(one.target, "project", one.project_id),
            one.month,
            <Duration key="before" seconds={one.before_seconds} />,
            <Duration key="after" seconds={one.after_seconds} />,
            <Duration key="difference" seconds={one.after_seconds - one.before_seconds} />,
          ],
        }))}
      />
    </>
  );
}

const none: { source: string; customer: string }[] = [];

function Resynced({ result, titles }: { result: ResyncResult; titles: Titles }) {
  const { t } = useTranslation();
  const { plan, applied } = result;
  const rows = (said: typeof plan.facts) =>
    said.map((one, at) => ({
      key: `${at} ${one.subject}`,
      cells: [
        <code key="type" className="text-xs">
          {one.type.replace(/^hourbook\.|\.v\d+$/g, "")}
        </code>,
        one.subject,
        titles[String(one.message.book)] ?? "",
        <details key="message">
          <summary className="cursor-default text-xs text-ink-muted">{t("ledger.message")}</summary>
          <pre className="overflow-x-auto text-xs">{JSON.stringify(one.message, null, 2)}</pre>
        </details>,
      ],
    }));
  const head = [t("ledger.type"), t("ledger.subject"), t("ledger.ticket"), t("ledger.message")];
  return (
    <>
      <p>
        {t(applied ? "ledger.applied" : "ledger.planned", { count: plan.books.length })} ·{" "}
        {t("ledger.hash")} <code>{plan.hash}</code>
      </p>
      <h3 className="font-medium">{t("ledger.facts")}</h3>
      <Grid
        label={t("ledger.facts")}
        head={head}
        leftOut={result.facts_left_out}
        none={t("ledger.no_facts")}
        rows={rows(plan.facts)}
      />
      <h3 className="font-medium">{t("ledger.decisions")}</h3>
      <Grid
        label={t("ledger.decisions")}
        head={head}
        leftOut={result.decisions_left_out}
        none={t("ledger.no_decisions")}
        rows={rows(plan.decisions)}
      />
    </>
  );
}

function Rebuilt({ result }: { result: RebuildResult }) {
  const { t } = useTranslation();
  return (
    <>
      <p>{t("ledger.folded", { count: result.messages })}</p>
      <p>{t(result.switched ? "ledger.switched" : "ledger.not_switched")}</p>
      {result.differing.length > 0 && (
        <p>
          {t("ledger.differing")} {result.differing.join(", ")}
        </p>
      )}
    </>
  );
}
