import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeSchedule, type Schedule, type ScheduleBody } from "@/api";
import { listRunsOptions, readScheduleOptions } from "@/api/@tanstack/react-query.gen";
import { Moment } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { Button } from "@/components/ui/button";
import { Switch, TextField } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { useAct } from "@/lib/act";
import { ownZone } from "@/lib/moments";
import { wrongWith } from "@/lib/problems";
import { useMay } from "@/lib/session";

/** When everything is looked at, beside the connections' own intervals; and what became of it. */
export function ScheduleAndRuns() {
  const { t } = useTranslation();
  const isAdmin = useMay("admin");
  const { data } = useQuery(readScheduleOptions());
  return (
    <div className="grid gap-8 p-4 md:p-6">
      <section className="max-w-2xl">
        <h2 className="pb-2 font-semibold">{t("schedule.title")}</h2>
        {data && isAdmin && <ScheduleForm key={data.changed_at} schedule={data} />}
        {data && data.next_runs.length > 0 && (
          <>
            <h3 className="pt-4 pb-1 text-xs font-medium text-ink-muted">
              {t("schedule.next", { zone: data.time_zone })}
            </h3>
            <ol>
              {data.next_runs.map((at) => (
                <li key={at}>
                  <Moment at={at} zone={data.time_zone} style="long" />
                </li>
              ))}
            </ol>
          </>
        )}
      </section>
      <Runs />
    </div>
  );
}

function ScheduleForm({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const [said, setSaid] = useState<Required<ScheduleBody>>({
    on: schedule.on,
    cron: schedule.cron,
    time_zone: schedule.changed_at ? schedule.time_zone : ownZone(),
    what: schedule.what,
    overlap: schedule.overlap,
  });
  const say = (part: Partial<ScheduleBody>) => setSaid((was) => ({ ...was, ...part }));
  const { act, error, isPending } = useAct(
    (body: ScheduleBody, key) =>
      changeSchedule({ body, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("connection.saved"), quiet: true },
  );
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void act(said);
      }}
    >
      <Switch label={t("schedule.on")} on={said.on} onChange={(on) => say({ on })} />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label={t("schedule.cron")}
          hint={t("schedule.cron_hint")}
          value={said.cron}
          wrong={wrongWith(error, "cron")}
          onChange={({ target }) => say({ cron: target.value })}
        />
        <TextField
          label={t("connection.field.time_zone")}
          value={said.time_zone}
          wrong={wrongWith(error, "time_zone")}
          onChange={({ target }) => say({ time_zone: target.value })}
        />
        <Select
          label={t("schedule.what")}
          value={said.what}
          options={(["poll", "sweep"] as const).map((value) => ({
            value,
            label: t(`schedule.of.${value}`),
          }))}
          onChange={(what) => say({ what: what as "poll" | "sweep" })}
        />
        <Select
          label={t("schedule.overlap")}
          value={said.overlap}
          options={(["skip", "queue"] as const).map((value) => ({
            value,
            label: t(`schedule.of.${value}`),
          }))}
          onChange={(overlap) => say({ overlap: overlap as "skip" | "queue" })}
        />
      </div>
      {error && <ProblemPanel error={error} />}
      <Button type="submit" disabled={isPending} className="self-start">
        {t("do.save")}
      </Button>
    </form>
  );
}

function Runs() {
  const { t } = useTranslation();
  const { data } = useQuery(listRunsOptions({ query: { limit: 20 } }));
  if (!data || data.items.length === 0) return null;
  return (
    <section className="max-w-3xl">
      <h2 className="pb-2 font-semibold">{t("runs.title")}</h2>
      <div className="relative overflow-x-auto rounded-lg border border-line">
        <table className="w-full">
          <thead>
            <tr className="border-b border-line bg-canvas text-left text-xs text-ink-muted">
              {(["asked", "by", "what", "outcome", "took"] as const).map((head) => (
                <th key={head} scope="col" className="px-3 py-1.5 font-medium">
                  {t(`runs.${head}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.items.map((run) => (
              <tr key={run.run} className="border-b border-line last:border-0">
                <td className="px-3 py-1.5">
                  <Moment at={run.asked_at} />
                </td>
                <td className="px-3 py-1.5">
                  {run.by_name ?? (run.by === "schedule" ? t("schedule.title") : run.by)}
                </td>
                <td className="px-3 py-1.5">
                  {run.what === "poll" || run.what === "sweep" ? t(`schedule.of.${run.what}`) : "–"}
                </td>
                <td className="px-3 py-1.5">{t(`runs.of.${run.outcome}`)}</td>
                <td className="px-3 py-1.5 tabular-nums">
                  {run.seconds === null
                    ? "–"
                    : t("time.seconds", { count: Math.round(run.seconds) })}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
