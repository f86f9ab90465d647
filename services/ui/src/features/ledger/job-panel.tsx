import { useQuery } from "@tanstack/react-query";
import { CircleX, OctagonX } from "lucide-react";
import { useTranslation } from "react-i18next";
import { askJob, cancelJob, type JobStory } from "@/api";
import { readJobOptions } from "@/api/@tanstack/react-query.gen";
import { Moment } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { useAct } from "@/lib/act";
import { useMay } from "@/lib/session";
import { isOver } from "./job-search";
import { ResultOf } from "./results";

const LOOK_MS = 1000;

/** One that was asked: how far it is, and what came of it. */
export function JobPanel({ job, onAsked }: { job: string; onAsked: (job: string) => void }) {
  const { data, error, refetch } = useQuery({
    ...readJobOptions({ path: { job } }),
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : LOOK_MS),
  });
  if (error && !data) return <ProblemPanel error={error} retry={refetch} />;
  if (!data) return <SkeletonRows />;
  return <Told job={data} onAsked={onAsked} />;
}

function Told({ job, onAsked }: { job: JobStory; onAsked: (job: string) => void }) {
  const { t } = useTranslation();
  const cancel = useAct((_: null, key) =>
    cancelJob({
      path: { job: job.job },
      headers: { "Idempotency-Key": key },
      throwOnError: true,
    }),
  );
  return (
    <section aria-labelledby="job" className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <div className="min-w-0 flex-1">
          <h2 id="job" className="font-semibold">
            {t(`ledger.kind.${job.kind}`)}
          </h2>
          <p className="text-xs text-ink-muted">
            {job.asked_by_name ?? job.asked_by} · <Moment at={job.asked_at} style="long" />
            {job.attempt > 1 && ` · ${t("ledger.attempt", { count: job.attempt })}`}
          </p>
        </div>
        {!isOver(job) && (
          <Button
            disabled={cancel.isPending || job.cancel_wanted}
            onClick={() => void cancel.act(null)}
          >
            <OctagonX aria-hidden /> {t(job.cancel_wanted ? "ledger.stopping" : "ledger.stop")}
          </Button>
        )}
        <Apply job={job} onAsked={onAsked} />
      </div>
      <p role="status" className={job.state === "done" ? "sr-only" : "text-ink-muted"}>
        {t(`ledger.state.${job.state}`)}
        {!isOver(job) && job.progress.sentence && `: ${job.progress.sentence}`}
      </p>
      {!isOver(job) && <Bar job={job} />}
      {job.failure && (
        <p role="alert" className="flex gap-2 rounded-lg border border-line p-4">
          <CircleX className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden /> {job.failure}
        </p>
      )}
      {job.result && <ResultOf result={job.result} titles={job.titles} />}
    </section>
  );
}

function Bar({ job: { progress } }: { job: JobStory }) {
  const { t } = useTranslation();
  const { done, total } = progress;
  return (
    <progress
      aria-label={t("ledger.progress")}
      className="h-2 w-full accent-accent"
      {...(total ? { value: done, max: total } : {})}
    />
  );
}

/** Exactly the plan that is shown, or nothing: it is bound to its hash. */
function Apply({ job, onAsked }: { job: JobStory; onAsked: (job: string) => void }) {
  const { t } = useTranslation();
  const isAdmin = useMay("admin");
  const { asked, result } = job;
  const { act, isPending } = useAct(async (hash: string, key) => {
    if (asked.kind !== "resync_plan") return undefined;
    const body = { ...asked, kind: "resync_apply" as const, hash };
    return (await askJob({ body, headers: { "Idempotency-Key": key }, throwOnError: true })).data;
  });
  if (!isAdmin || job.kind !== "resync_plan" || result?.kind !== "resync") return null;
  if (result.plan.facts.length + result.plan.decisions.length === 0) return null;
  return (
    <Button
      kind="primary"
      disabled={isPending}
      onClick={() => void act(result.plan.hash).then((next) => next && onAsked(next.job))}
    >
      {t("ledger.apply")}
    </Button>
  );
}
