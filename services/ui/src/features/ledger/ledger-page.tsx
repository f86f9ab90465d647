import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { JobShown } from "@/api";
import { listJobsOptions } from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { Moment } from "@/components/format";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { cn } from "@/lib/cn";
import { useMay } from "@/lib/session";
import { AskForm } from "./ask-form";
import { Backups } from "./backups";
import { JobPanel } from "./job-panel";
import { isOver } from "./job-search";

const route = getRouteApi("/inside/ledger");
const SHOWN = 30;
const LOOK_MS = 2000;

/** What the ledger can be asked, and what came of what was asked. */
export function LedgerPage() {
  const { t } = useTranslation();
  const { kind, of, job } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("operator");
  const runs = useMay("admin");
  const show = (wanted: string | undefined) =>
    void navigate({ search: (was) => ({ ...was, job: wanted }) });
  const { data, error, refetch } = useQuery({
    ...listJobsOptions({ query: { limit: SHOWN } }),
    refetchInterval: ({ state }) => (state.data?.items.every(isOver) ? false : LOOK_MS),
  });
  return (
    <>
      <PageHead title={t("nav.ledger")} />
      <div className="grid w-full max-w-7xl gap-6 p-4 md:p-6 lg:grid-cols-[22rem_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-6">
          {may ? (
            <AskForm
              kind={kind}
              of={of}
              onKind={(next) =>
                void navigate({ search: (was) => ({ ...was, kind: next }), replace: true })
              }
              onAsked={show}
            />
          ) : (
            <p className="text-ink-muted">{t("ledger.operators_ask")}</p>
          )}
          <section aria-labelledby="jobs">
            <h2 id="jobs" className="pb-2 font-semibold">
              {t("ledger.asked")}
            </h2>
            {error && !data && <ProblemPanel error={error} retry={refetch} />}
            {!data && !error && <SkeletonRows />}
            {data?.items.length === 0 && (
              <Empty kind="nothing_yet" title={t("ledger.nothing_yet")} />
            )}
            {data && data.items.length > 0 && (
              <ul className="rounded-lg border border-line">
                {data.items.map((one) => (
                  <Asked key={one.job} job={one} shown={one.job === job} onShow={show} />
                ))}
              </ul>
            )}
          </section>
          {runs && <Backups />}
        </div>
        <div className="min-w-0">
          {job ? (
            <JobPanel key={job} job={job} onAsked={show} />
          ) : (
            <p className="text-ink-muted max-lg:hidden">{t("ledger.explained")}</p>
          )}
        </div>
      </div>
    </>
  );
}

function Asked({
  job,
  shown,
  onShow,
}: {
  job: JobShown;
  shown: boolean;
  onShow: (job: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <li className="border-b border-line last:border-0">
      <button
        type="button"
        aria-current={shown || undefined}
        onClick={() => onShow(job.job)}
        className={cn(
          "flex w-full flex-wrap items-baseline gap-x-2 px-3 py-2 text-left hover:bg-hover",
          shown && "bg-selected",
        )}
      >
        <span className="min-w-0 flex-1 truncate font-medium">{t(`ledger.kind.${job.kind}`)}</span>
        <span className="text-xs">{t(`ledger.state.${job.state}`)}</span>
        <span className="basis-full truncate text-xs text-ink-muted">
          {job.asked_by_name ?? job.asked_by} · <Moment at={job.asked_at} ago />
        </span>
      </button>
    </li>
  );
}
