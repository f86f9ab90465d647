import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, CircleHelp } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Overview } from "@/api";
import {
  readFreshnessOptions,
  readOverviewOptions,
  readQuestionsOptions,
} from "@/api/@tanstack/react-query.gen";
import { Standing } from "@/components/connection/standing";
import { Duration, Moment } from "@/components/format";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { buttonLook } from "@/components/ui/button";
import { clockText } from "@/lib/durations";
import { LOOK_MS } from "@/lib/live";
import { reasonKey } from "@/lib/reasons";
import { LineChart } from "./line-chart";
import { MinutesChart } from "./minutes-chart";

export function OverviewPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    ...readOverviewOptions(),
    refetchInterval: LOOK_MS, // that a side does not answer moves no entry
  });
  return (
    <>
      <PageHead title={t("nav.overview")} />
      {error && !data && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {data && (
        <div className="mx-auto flex w-full max-w-6xl flex-col gap-6 p-4 md:p-6">
          <Verdict overview={data} />
          {data.connections.length > 0 && (
            <section aria-labelledby="connections">
              <h2 id="connections" className="sr-only">
                {t("nav.connections")}
              </h2>
              <ul className="grid gap-3 md:grid-cols-2">
                {data.connections.map((one) => (
                  <li key={one.name}>
                    <Link
                      to="/connections"
                      search={{ name: one.name }}
                      className="block rounded-lg border border-line p-4 hover:bg-hover"
                    >
                      <Standing connection={one} />
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <Numbers overview={data} />
          <section className="rounded-lg border border-line p-4">
            <MinutesChart />
          </section>
          <div className="grid gap-6 lg:grid-cols-2">
            <section className="rounded-lg border border-line p-4">
              <FreshnessChart />
            </section>
            <section className="rounded-lg border border-line p-4">
              <QuestionsChart />
            </section>
          </div>
        </div>
      )}
    </>
  );
}

/** The one glance: must anybody do anything? */
function Verdict({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  const { needs_you, reasons, connections, last_swept_at } = overview;
  if (connections.length === 0) {
    return (
      <Banner tone="plain" title={t("overview.not_set_up")}>
        <Link to="/setup" className={buttonLook({ kind: "primary" })}>
          {t("setup.begin")}
        </Link>
      </Banner>
    );
  }
  if (needs_you.count > 0) {
    return (
      <Banner
        tone="warn"
        title={t(needs_you.capped ? "overview.needs_more_than" : "overview.needs", {
          count: needs_you.count,
        })}
      >
        <ul className="flex flex-wrap gap-2">
          {reasons.map(({ key, count }) => (
            <li key={key}>
              <Link to="/conflicts" search={{ reason: key }} className={buttonLook({ size: "sm" })}>
                {t(`reason.${reasonKey(key)}.title`)}{" "}
                <span className="text-ink-muted tabular-nums">{count}</span>
              </Link>
            </li>
          ))}
        </ul>
      </Banner>
    );
  }
  const unknown = connections.filter(({ word }) => word === "late" || word === "never_ran");
  if (unknown.length > 0) {
    return (
      <Banner tone="unknown" title={t("overview.cannot_know")}>
        {t("overview.cannot_know_why", { names: unknown.map(({ name }) => name).join(", ") })}
      </Banner>
    );
  }
  return (
    <Banner tone="ok" title={t("overview.all_done")}>
      {last_swept_at && (
        <span>
          {t("overview.last_checked")} <Moment at={last_swept_at} ago />
        </span>
      )}
    </Banner>
  );
}

const tones = {
  ok: { icon: CircleCheck, className: "text-ok", ground: "bg-ok-soft" },
  warn: { icon: CircleAlert, className: "text-warn", ground: "bg-warn-soft" },
  unknown: { icon: CircleHelp, className: "text-wait", ground: "bg-wait-soft" },
  plain: { icon: CircleHelp, className: "text-ink-muted", ground: "" },
};

function Banner({
  tone,
  title,
  children,
}: {
  tone: keyof typeof tones;
  title: string;
  children: ReactNode;
}) {
  const { icon: Icon, className, ground } = tones[tone];
  return (
    <section
      className={`flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-line px-4 py-3 ${ground}`}
    >
      <h2 className="flex items-center gap-2 text-base font-semibold">
        <Icon className={`size-4 ${className}`} aria-hidden /> {title}
      </h2>
      <div className="flex flex-wrap items-center gap-2">{children}</div>
    </section>
  );
}

function Numbers({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  const facts: [string, ReactNode][] = [
    [t("overview.today"), <Both key="today" moved={overview.today} />],
    [t("overview.this_week"), <Both key="week" moved={overview.this_week} />],
    [t("overview.requested"), overview.requested.count],
    [t("overview.waiting"), overview.waiting.count],
  ];
  if (overview.quarantined + overview.halted_books > 0) {
    facts.push([t("overview.halted"), overview.quarantined + overview.halted_books]);
  }
  return (
    <dl className="grid grid-cols-2 gap-4 md:grid-cols-4">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-ink-muted">{name}</dt>
          <dd className="text-lg font-semibold tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Two numbers where they differ, one where they do not. */
function Both({ moved }: { moved: Overview["today"] }) {
  const { t } = useTranslation();
  const { zammad_seconds: zammad, kimai_seconds: kimai } = moved;
  return (
    <>
      <Duration seconds={kimai} />{" "}
      {zammad !== kimai && (
        <span className="text-xs font-normal text-ink-muted">
          {t("overview.of", { time: clockText(zammad) })}
        </span>
      )}
    </>
  );
}

function FreshnessChart() {
  const { t } = useTranslation();
  const { data, dataUpdatedAt } = useQuery(readFreshnessOptions());
  if (!data) return <div className="h-52" />;
  const colours = [
    { stroke: "stroke-zammad", dot: "bg-zammad" },
    { stroke: "stroke-kimai", dot: "bg-kimai" },
    { stroke: "stroke-accent", dot: "bg-accent" },
    { stroke: "stroke-ok", dot: "bg-ok" },
  ];
  return (
    <LineChart
      title={t("overview.freshness")}
      lines={data.series.map(({ of, points }, at) => ({
        name: of,
        points,
        stroke: colours[at % colours.length]?.stroke ?? "",
        dot: colours[at % colours.length]?.dot ?? "",
      }))}
      unit={(value) => t("time.seconds", { count: Math.round(value) })}
      from={dataUpdatedAt - 24 * 3_600_000}
      to={dataUpdatedAt}
      stepSeconds={data.step_seconds}
      style="time"
    />
  );
}

function QuestionsChart() {
  const { t } = useTranslation();
  const { data, dataUpdatedAt } = useQuery(readQuestionsOptions());
  if (!data) return <div className="h-52" />;
  return (
    <LineChart
      title={t("overview.questions")}
      lines={[
        {
          name: t("overview.open"),
          points: data.points,
          stroke: "stroke-warn",
          dot: "bg-warn",
        },
      ]}
      unit={(value) => String(value)}
      from={dataUpdatedAt - 30 * 24 * 3_600_000}
      to={dataUpdatedAt}
      stepSeconds={data.step_seconds}
      style="dayMonth"
    />
  );
}
