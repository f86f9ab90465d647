import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Mapping, type MappingBody, removeMapping } from "@/api";
import { listConnectorsOptions } from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { Moment } from "@/components/format";
import { MappingTarget } from "@/components/mapping/mapping-target";
import { UnmappedList } from "@/components/mapping/unmapped-list";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { RemovalDialog } from "@/components/removal";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { TextField } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { useAct } from "@/lib/act";
import { cn } from "@/lib/cn";
import { everyMappingOptions, useNames } from "@/lib/names";
import { useMay } from "@/lib/session";
import { useSourceKey } from "@/lib/source-keys";

const route = getRouteApi("/inside/mappings");
type Kind = MappingBody["kind"];
const kinds: Kind[] = ["worker", "customer", "activity"];
const inKimai = { worker: "user", customer: "project", activity: "activity" } as const;

export function MappingsPage() {
  const { t } = useTranslation();
  const { kind, key } = route.useSearch();
  const navigate = route.useNavigate();
  const mayMap = useMay("operator");
  const [making, setMaking] = useState(false);
  return (
    <>
      <PageHead title={t("nav.mappings")}>
        <Select
          label={t("mapping.of")}
          value={kind ?? "all"}
          options={[
            { value: "all", label: t("filter.all") },
            ...kinds.map((value) => ({ value, label: t(`mapping.kind.${value}`) })),
          ]}
          onChange={(value) =>
            void navigate({
              search: { kind: kinds.find((one) => one === value) },
              replace: true,
            })
          }
        />
        {mayMap && (
          <Button onClick={() => setMaking(true)}>
            <Plus aria-hidden /> {t("mapping.make")}
          </Button>
        )}
      </PageHead>
      <div className="mx-auto flex w-full max-w-5xl flex-col gap-8 p-4 md:p-6">
        <section aria-labelledby="unmapped">
          <h2 id="unmapped" className="pb-2 font-semibold">
            {t("mapping.unmapped")}
          </h2>
          <UnmappedList kind={kind} first={key} mayMap={mayMap} />
        </section>
        <section aria-labelledby="mapped">
          <h2 id="mapped" className="pb-2 font-semibold">
            {t("mapping.mapped")}
          </h2>
          <Mapped kind={kind} mayMap={mayMap} />
        </section>
      </div>
      {making && <NewMapping kind={kind ?? "worker"} onClose={() => setMaking(false)} />}
    </>
  );
}

function Mapped({ kind, mayMap }: { kind?: Kind; mayMap: boolean }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(everyMappingOptions());
  const [changing, setChanging] = useState<Mapping | null>(null);
  const nameOf = useSourceKey(data);
  const names = useNames();
  if (error && !data) return <ProblemPanel error={error} retry={refetch} />;
  if (!data) return <SkeletonRows />;
  const shown = data.filter((one) => kind === undefined || one.kind === kind);
  if (shown.length === 0) return <Empty kind="nothing_yet" title={t("mapping.nothing_yet")} />;
  return (
    <>
      <div className="relative overflow-x-auto rounded-lg border border-line">
        <table className="w-full">
          <thead>
            <tr className="border-b border-line bg-canvas text-left text-xs text-ink-muted">
              {(["kind_head", "from", "to", "changed"] as const).map((head) => (
                <th
                  key={head}
                  scope="col"
                  className={cn("px-3 py-1.5 font-medium", head === "changed" && "max-md:hidden")}
                >
                  {t(`mapping.${head}`)}
                </th>
              ))}
              {mayMap && (
                <th scope="col">
                  <span className="sr-only">{t("do.actions")}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.mapping} className="border-b border-line last:border-0 hover:bg-hover">
                <td className="px-3 py-1.5 text-ink-muted">
                  {t(`mapping.kind.${kinds.find((known) => known === one.kind) ?? "unknown"}`)}
                </td>
                <td className="px-3 py-1.5">
                  {nameOf(one)} <span className="text-xs text-ink-muted">{one.source}</span>
                </td>
                <td className="px-3 py-1.5 font-medium">
                  {names.inKimai(one.target, inKimai[one.kind as Kind], one.target_id)}
                  {one.time_zone && (
                    <span className="text-xs font-normal text-ink-muted"> {one.time_zone}</span>
                  )}
                </td>
                <td className="px-3 py-1.5 text-xs text-ink-muted max-md:hidden">
                  <Moment at={one.changed_at} />
                </td>
                {mayMap && (
                  <td className="px-2 text-right whitespace-nowrap">
                    <Button size="sm" kind="quiet" onClick={() => setChanging(one)}>
                      {t("do.change")}
                    </Button>
                    <Remove mapping={one} name={nameOf(one)} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {changing && (
        <Dialog open onOpen={() => setChanging(null)} title={nameOf(changing)}>
          <p className="pb-3 text-ink-muted">{t("mapping.change_why")}</p>
          <MappingTarget
            kind={changing.kind as Kind}
            source={changing.source}
            sourceKey={changing.source_key}
            existing={changing}
            onDone={() => setChanging(null)}
          />
        </Dialog>
      )}
    </>
  );
}

function Remove({ mapping, name }: { mapping: Mapping; name: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { act, isPending } = useAct(
    (_: null, key) =>
      removeMapping({
        path: { mapping: mapping.mapping },
        headers: { "Idempotency-Key": key },
        throwOnError: true,
      }),
    { done: t("mapping.removed") },
  );
  return (
    <>
      <Button
        size="icon"
        kind="quiet"
        aria-label={t("mapping.remove", { name })}
        onClick={() => setOpen(true)}
      >
        <Trash2 aria-hidden />
      </Button>
      {open && (
        <RemovalDialog
          open
          onOpen={setOpen}
          title={t("mapping.remove", { name })}
          why={t("mapping.remove_why")}
          label={t("do.remove")}
          remove={() => act(null)}
          isPending={isPending}
        />
      )}
    </>
  );
}

/** For a key that nothing waits for yet. */
function NewMapping({ kind: begun, onClose }: { kind: Kind; onClose: () => void }) {
  const { t } = useTranslation();
  const { data } = useQuery(listConnectorsOptions());
  const sources = data?.items.filter((one) => one.kind !== "kimai") ?? [];
  const [kind, setKind] = useState<Kind>(begun);
  const [source, setSource] = useState<string | null>(null);
  const [sourceKey, setSourceKey] = useState("");
  const from = source ?? sources[0]?.name ?? "";
  return (
    <Dialog open onOpen={onClose} title={t("mapping.make")}>
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap gap-2">
          <Select
            label={t("mapping.of")}
            value={kind}
            options={kinds.map((value) => ({ value, label: t(`mapping.kind.${value}`) }))}
            onChange={(value) => setKind(value as Kind)}
          />
          {sources.length > 1 && (
            <Select
              label={t("filter.connection")}
              value={from}
              options={sources.map(({ name }) => ({ value: name, label: name }))}
              onChange={setSource}
            />
          )}
        </div>
        <TextField
          label={t(`mapping.key_of.${kind}`)}
          hint={t(`mapping.key_hint.${kind}`)}
          value={sourceKey}
          onChange={({ target }) => setSourceKey(target.value.trim())}
        />
        {sourceKey && (
          <MappingTarget
            key={`${kind} ${from} ${sourceKey}`}
            kind={kind}
            source={from}
            sourceKey={sourceKey}
            onDone={onClose}
          />
        )}
      </div>
    </Dialog>
  );
}
