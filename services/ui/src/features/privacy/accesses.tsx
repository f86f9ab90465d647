import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { listAccessesInfiniteOptions } from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { Moment } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";

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
  const rows = data?.pages.flatMap(({ items }) => items);
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
              <code className="text-xs">{one.whose}</code>
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
