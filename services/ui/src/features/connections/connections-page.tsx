import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { SyncStatus } from "@/api";
import { listConnectorsOptions, syncStatusOptions } from "@/api/@tanstack/react-query.gen";
import { ConnectionForm } from "@/components/connection/connection-form";
import { Empty } from "@/components/empty";
import { Moment } from "@/components/format";
import { ListAndDetail } from "@/components/list-and-detail";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { LOOK_MS } from "@/lib/live";
import { useMay } from "@/lib/session";
import { useIsWide } from "@/lib/use-wide";
import { ConnectionDetail, kindOf, type ShownConnector } from "./connection-detail";
import { ScheduleAndRuns } from "./schedule";

const route = getRouteApi("/inside/connections");

export function ConnectionsPage() {
  const { t } = useTranslation();
  const { name, make, schedule } = route.useSearch();
  const navigate = route.useNavigate();
  const isWide = useIsWide();
  const isAdmin = useMay("admin");
  const { data, error, refetch } = useQuery(listConnectorsOptions());
  const { data: status } = useQuery({ ...syncStatusOptions(), refetchInterval: LOOK_MS });
  const chosen = data?.items.find((one) => one.name === name);
  return (
    <ListAndDetail
      back={() => void navigate({ search: {} })}
      list={
        <>
          <PageHead title={t("nav.connections")} />
          {error && <ProblemPanel error={error} retry={refetch} />}
          {!data && !error && <SkeletonRows rows={3} />}
          <ul className="flex flex-col gap-0.5 overflow-auto p-1.5">
            {data?.items.map((connector) => (
              <li key={connector.name}>
                <Link
                  to="/connections"
                  search={{ name: connector.name }}
                  aria-current={connector === chosen || undefined}
                  className="block rounded-md px-2.5 py-2 hover:bg-hover aria-[current]:bg-selected"
                >
                  <span className="flex items-baseline gap-2">
                    <span className="font-medium">{connector.name}</span>
                    <span className="text-xs text-ink-muted">
                      {t(`connection.kind.${kindOf(connector)}`)}
                    </span>
                  </span>
                  <span className="block truncate text-xs text-ink-muted">
                    <LastHeard connector={connector} status={status} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
          {data?.items.length === 0 && (
            <Empty kind="nothing_yet" title={t("connection.nothing_yet")}>
              <p>{t("connection.nothing_yet_why")}</p>
            </Empty>
          )}
          <Link
            to="/connections"
            search={{ schedule: true }}
            className="mx-1.5 rounded-md px-2.5 py-2 text-ink-muted hover:bg-hover"
          >
            {t("schedule.title")}
          </Link>
          {isAdmin && (
            <div className="flex flex-wrap gap-2 border-t border-line p-3 md:mt-auto">
              {(["zammad", "kimai", "csv"] as const).map((kind) => (
                <Button key={kind} onClick={() => void navigate({ search: { make: kind } })}>
                  <Plus aria-hidden /> {t(`connection.kind.${kind}`)}
                </Button>
              ))}
            </div>
          )}
        </>
      }
      detail={
        make ? (
          <div className="flex flex-col gap-4 p-4 md:p-6">
            <h2 className="text-base font-semibold">{t(`connection.new.${make}`)}</h2>
            <ConnectionForm
              key={make}
              kind={make === "csv" ? "source" : make}
              onDone={(made) => navigate({ search: { name: made } })}
            />
          </div>
        ) : chosen ? (
          <ConnectionDetail key={chosen.name} connector={chosen} status={status} />
        ) : isWide || schedule ? (
          <ScheduleAndRuns />
        ) : null
      }
    />
  );
}

function LastHeard({ connector, status }: { connector: ShownConnector; status?: SyncStatus }) {
  const { t } = useTranslation();
  const side = [...(status?.sources ?? []), ...(status?.targets ?? [])].find(
    ({ name }) => name === connector.name,
  );
  if (side && side.obstacles.length > 0) return t("connection.in_the_way");
  return side?.polled_at ? (
    <>
      {t("connection.looked_at")} <Moment at={side.polled_at} ago />
    </>
  ) : (
    t("connection.never_looked_at")
  );
}
