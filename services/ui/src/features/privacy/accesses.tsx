import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { listAccessesInfiniteOptions } from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { Moment } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { useNames } from "@/lib/names";

/** Of an agent's identity: `<kind>:<connection>:user:<number>`. */
function agentOf(identity: string): { connection: string; agent_id: number } {
  const [, connection = "", , number] = identity.split(":");
  return { connection, agent_id: Number(number) };
}

/** Who looked at whose hours, by the hour. */
export function Accesses() {
  const { t } = useTranslation();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    {
      ...listAccessesInfiniteOptions({ query: { limit: 50 } }),
      initialPageParam: {},
      getNextPageParam: ({ next }) => next ?? undefined,
    },
  );
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items), [data]);
  const names = useNames(useMemo(() => (rows ?? []).map(({ whose }) => agentOf(whose)), [rows]));
  const nameOf = (whose: string) => {
    const { connection, agent_id } = agentOf(whose);
    return names.worker(connection, agent_id);
  };
  return (
    <section aria-labelledby="accesses" className="flex flex-col gap-3">
      <h2 id="accesses" className="font-semibold">
        {t("privacy.accesses")}
      </h2>
      {error && !data && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {rows?.length === 0 && <Empty kind="nothing_yet" title={t("privacy.nobody_looked")} />}
      {rows && rows.length > 0 && (
        <ul className="rounded-lg border border-line text-sm">
          {rows.map((one) => (
            <li
              key={[one.hour, one.whose, one.looked_by, one.what].join(" ")}
              className="flex flex-wrap gap-x-3 border-b border-line px-4 py-1.5 last:border-0"
            >
              <span className="font-medium">{one.looked_by_name ?? one.looked_by}</span>
              <span>{t(`privacy.looked.${one.what}`)}</span>
              <span title={one.whose}>{nameOf(one.whose)}</span>
              <span className="ml-auto text-ink-muted">
                <Moment at={one.hour} /> · {t("privacy.times", { count: one.times })}
              </span>
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button
          className="self-start"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t("privacy.more")}
        </Button>
      )}
    </section>
  );
}
