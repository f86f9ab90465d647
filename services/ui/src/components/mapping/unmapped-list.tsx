import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Unmapped } from "@/api";
import { listUnmappedOptions } from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { Day, Duration } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { useOrder } from "@/lib/order";
import { useSourceKey } from "@/lib/source-keys";
import { MappingTarget } from "./mapping-target";

const idOf = ({ kind, source, source_key }: Unmapped) => `${kind} ${source} ${source_key}`;

/** What blocks entries for lack of a mapping; what blocked most when one came comes first. */
export function UnmappedList({
  kind,
  first,
  mayMap,
}: {
  kind?: Unmapped["kind"];
  /** A key that somebody came for. */
  first?: string;
  mayMap: boolean;
}) {
  const { t } = useTranslation();
  const nameOf = useSourceKey();
  const { data, error, refetch } = useQuery(listUnmappedOptions());
  const items = useOrder(
    (data?.items ?? [])
      .filter((one) => kind === undefined || one.kind === kind)
      .sort((a, b) => Number(b.source_key === first) - Number(a.source_key === first)),
    idOf,
  );
  if (error && !data) return <ProblemPanel error={error} retry={refetch} />;
  if (!data) return <SkeletonRows rows={3} />;
  if (items.length === 0) {
    return (
      <Empty kind="all_done" title={t("mapping.all_done")}>
        <p>{t("mapping.all_done_why")}</p>
      </Empty>
    );
  }
  return (
    <ul className="rounded-lg border border-line">
      {items.map((one) => (
        <li
          key={idOf(one)}
          className="grid gap-2 border-b border-line px-4 py-3 last:border-0 md:grid-cols-[minmax(0,1fr)_20rem] md:items-center"
        >
          <div className="min-w-0">
            <p className="truncate font-medium">
              {one.name ?? nameOf(one)}{" "}
              <span className="text-xs font-normal text-ink-muted">
                {t(`mapping.kind.${one.kind}`)} · {one.source}
              </span>
            </p>
            <p className="text-xs text-ink-muted">
              <span className="font-medium text-warn">
                {t("mapping.wait", { count: one.entries })}
              </span>{" "}
              (<Duration seconds={one.seconds} />) · <Day on={one.first_on} />
              {one.last_on !== one.first_on && (
                <>
                  {" "}
                  – <Day on={one.last_on} />
                </>
              )}
            </p>
          </div>
          {mayMap && (
            <MappingTarget
              kind={one.kind}
              source={one.source}
              sourceKey={one.source_key}
              suggestion={one.suggestion}
              focused={one.source_key === first}
            />
          )}
        </li>
      ))}
    </ul>
  );
}
