import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { KimaiConnector, WritingPreview, ZammadConnector } from "@/api";
import { listConnectorsOptions, previewWritingOptions } from "@/api/@tanstack/react-query.gen";
import { ConnectionForm } from "@/components/connection/connection-form";
import { ConnectionTest } from "@/components/connection/connection-test";
import { UnitQuestion } from "@/components/connection/unit-question";
import { firstDay, WritingSwitch } from "@/components/connection/writing-switch";
import { Day, Duration } from "@/components/format";
import { UnmappedList } from "@/components/mapping/unmapped-list";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button, buttonLook } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { useNames } from "@/lib/names";
import { reasonKey } from "@/lib/reasons";

const route = getRouteApi("/inside/setup");
const steps = ["connect", "map", "look"] as const;
type Step = (typeof steps)[number];

/** Three steps, and nothing is written before the last one was looked at. */
export function SetupPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(listConnectorsOptions());
  const zammad = data?.items.find((one) => one.kind === "zammad");
  const kimai = data?.items.find((one) => one.kind === "kimai");
  const isConnected = zammad !== undefined && kimai !== undefined && zammad.units.length > 0;
  const step: Step = search.step ?? "connect";
  const go = (next: Step) => void navigate({ search: { step: next } });
  return (
    <>
      <PageHead title={t("setup.title")} />
      <div className="mx-auto w-full max-w-3xl p-4 md:p-6">
        <ol className="flex flex-wrap gap-2 pb-6" aria-label={t("setup.steps")}>
          {steps.map((one, at) => (
            <li key={one}>
              <Button
                aria-current={one === step ? "step" : undefined}
                disabled={one !== "connect" && !isConnected}
                className={cn(one === step && "border-accent bg-accent-soft")}
                onClick={() => go(one)}
              >
                <span className="text-ink-muted tabular-nums">{at + 1}</span> {t(`setup.${one}`)}
              </Button>
            </li>
          ))}
        </ol>
        {error && !data && <ProblemPanel error={error} retry={refetch} />}
        {!data && !error && <SkeletonRows rows={4} />}
        {data && step === "connect" && (
          <Connect zammad={zammad} kimai={kimai} onDone={() => go("map")} />
        )}
        {data && step === "map" && (
          <>
            <p className="pb-4 text-ink-muted">{t("setup.map_why")}</p>
            <UnmappedList mayMap />
            <div className="flex justify-end pt-4">
              <Button kind="primary" onClick={() => go("look")}>
                {t("setup.to_look")}
              </Button>
            </div>
          </>
        )}
        {data && step === "look" && kimai && <Look kimai={kimai} />}
      </div>
    </>
  );
}

function Connect({
  zammad,
  kimai,
  onDone,
}: {
  zammad: ZammadConnector | undefined;
  kimai: KimaiConnector | undefined;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-6">
      <Part title={t("connection.new.zammad")} done={zammad !== undefined}>
        {zammad ? (
          <ConnectionTest name={zammad.name} atOnce />
        ) : (
          <ConnectionForm kind="zammad" onDone={() => undefined} />
        )}
      </Part>
      <Part title={t("connection.new.kimai")} done={kimai !== undefined}>
        {kimai ? (
          <ConnectionTest name={kimai.name} atOnce />
        ) : (
          zammad && <ConnectionForm kind="kimai" onDone={() => undefined} />
        )}
      </Part>
      <Part title={t("unit.title")} done={(zammad?.units.length ?? 0) > 0}>
        {zammad && kimai && <UnitQuestion connector={zammad} />}
      </Part>
      {zammad && kimai && zammad.units.length > 0 && (
        <Button kind="primary" className="self-end" onClick={onDone}>
          {t("setup.to_map")}
        </Button>
      )}
    </div>
  );
}

function Part({ title, done, children }: { title: string; done: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <section className="rounded-lg border border-line p-4">
      <h2 className="flex items-center gap-2 pb-3 font-semibold">
        {title}
        {done && (
          <span className="inline-flex items-center gap-1 text-xs font-normal text-ok">
            <Check className="size-3.5" aria-hidden /> {t("setup.done")}
          </span>
        )}
      </h2>
      {children}
    </section>
  );
}

/** What would be written, by the very rules that decide; then the switch. */
function Look({ kimai }: { kimai: KimaiConnector }) {
  const { t } = useTranslation();
  const [day, setDay] = useState(firstDay(kimai));
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery({
    ...previewWritingOptions({ path: { name: kimai.name }, query: { start_on: day } }),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  return (
    <div className="flex flex-col gap-6">
      <p className="text-ink-muted">{t(kimai.writing ? "setup.look_on" : "setup.look_why")}</p>
      {error && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows rows={5} />}
      {data && (
        <div aria-busy={isPlaceholderData} className={cn(isPlaceholderData && "opacity-60")}>
          <Preview preview={data} target={kimai.name} />
        </div>
      )}
      <Button
        kind="quiet"
        className="self-start"
        disabled={isFetching}
        onClick={() => void refetch()}
      >
        {t("setup.look_again")}
      </Button>
      <section className="rounded-lg border border-line p-4">
        <h2 className="pb-3 font-semibold">{t("writing.title")}</h2>
        <WritingSwitch connector={kimai} onDay={setDay} />
      </section>
      {kimai.writing && (
        <Link to="/" className={buttonLook({ kind: "primary", className: "self-end" })}>
          {t("setup.finish")}
        </Link>
      )}
    </div>
  );
}

function Preview({ preview, target }: { preview: WritingPreview; target: string }) {
  const { t } = useTranslation();
  const names = useNames();
  const asks = Object.entries(preview.asks);
  return (
    <section aria-labelledby="preview">
      <h2 id="preview" className="pb-1 text-base font-semibold">
        {t("setup.would_write", { count: preview.creates })} (<Duration seconds={preview.seconds} />
        )
      </h2>
      {asks.length > 0 && (
        <p className="pb-2 text-warn">
          {asks
            .map(
              ([reason, count]) =>
                `${t("setup.would_ask", { count })} ${t(`reason.${reasonKey(reason)}.title`)}`,
            )
            .join(" · ")}
        </p>
      )}
      {preview.beyond_cap && <p className="pb-2 text-warn">{t("setup.beyond_cap")}</p>}
      {preview.lines.length > 0 && (
        <div className="max-h-96 overflow-auto rounded-lg border border-line">
          <table className="w-full">
            <thead>
              <tr className="border-b border-line bg-canvas text-left text-xs text-ink-muted">
                {(["user", "project", "activity"] as const).map((head) => (
                  <th key={head} scope="col" className="px-3 py-1.5 font-medium">
                    {t(`conflicts.field.${head}`)}
                  </th>
                ))}
                <th scope="col" className="px-3 py-1.5 font-medium">
                  {t("entries.day")}
                </th>
                <th scope="col" className="px-3 py-1.5 text-right font-medium">
                  {t("nav.entries")}
                </th>
                <th scope="col" className="px-3 py-1.5 text-right font-medium">
                  {t("conflicts.field.time")}
                </th>
              </tr>
            </thead>
            <tbody>
              {preview.lines.map((line) => (
                <tr
                  key={`${line.user_id} ${line.project_id} ${line.activity_id}`}
                  className="border-b border-line last:border-0"
                >
                  <td className="px-3 py-1.5">
                    {line.user_name ?? names.inKimai(target, "user", line.user_id)}
                  </td>
                  <td className="px-3 py-1.5">
                    {line.project_name ?? names.inKimai(target, "project", line.project_id)}
                  </td>
                  <td className="px-3 py-1.5">
                    {line.activity_name ?? names.inKimai(target, "activity", line.activity_id)}
                  </td>
                  <td className="px-3 py-1.5 text-xs whitespace-nowrap text-ink-muted">
                    <Day on={line.first_on} />
                  </td>
                  <td className="px-3 py-1.5 text-right tabular-nums">{line.entries}</td>
                  <td className="px-3 py-1.5 text-right">
                    <Duration seconds={line.seconds} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
