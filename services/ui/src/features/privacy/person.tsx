import { useMutation, useQuery } from "@tanstack/react-query";
import { Download, Eraser } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { askErasure, type Stay } from "@/api";
import { readPersonOptions } from "@/api/@tanstack/react-query.gen";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useAct } from "@/lib/act";
import { download } from "@/lib/download";
import { stayKey } from "./words";

/** What an erasure would do to somebody, before anybody asks for it. */
export function Person({ identity, onAsked }: { identity: string; onAsked: () => void }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { data, error, refetch } = useQuery(readPersonOptions({ query: { identity: [identity] } }));
  const takeOut = useMutation({
    mutationFn: (format: "json" | "html") =>
      download(
        `/api/privacy/export?${new URLSearchParams({ identity, format })}`,
        `hourbook-person.${format}`,
      ),
  });
  const { act, isPending } = useAct(
    (identities: string[], key) =>
      askErasure({
        body: { identities },
        headers: { "Idempotency-Key": key },
        throwOnError: true,
      }),
    { done: t("privacy.asked") },
  );
  if (error && !data) return <ProblemPanel error={error} retry={refetch} />;
  if (!data) return <SkeletonRows />;
  return (
    <div className="flex flex-col gap-4 rounded-lg border border-line p-4">
      <p>
        <span className="text-ink-muted">{t("privacy.known_as")} </span>
        <code>{data.identities.join(", ")}</code>
      </p>
      <div className="flex flex-wrap gap-2">
        {(["json", "html"] as const).map((format) => (
          <Button key={format} disabled={takeOut.isPending} onClick={() => takeOut.mutate(format)}>
            <Download aria-hidden /> {t("privacy.take_out", { format: format.toUpperCase() })}
          </Button>
        ))}
        <Button kind="danger" onClick={() => setAsking(true)}>
          <Eraser aria-hidden /> {t("privacy.erase")}
        </Button>
      </div>
      {takeOut.error && <ProblemPanel error={takeOut.error} />}
      <p>{t("privacy.would_go", { count: data.tickets, keys: data.keys })}</p>
      <Stays stays={data.stays} />
      {asking && (
        <Dialog open onOpen={setAsking} title={t("privacy.erase")}>
          <p className="pb-2">{t("privacy.would_go", { count: data.tickets, keys: data.keys })}</p>
          <p className="pb-4 text-ink-muted">{t("privacy.for_good")}</p>
          <Button
            kind="danger"
            disabled={isPending}
            onClick={() =>
              void act(data.identities).then((done) => {
                setAsking(false);
                if (done) onAsked();
              })
            }
          >
            {t("privacy.ask")}
          </Button>
        </Dialog>
      )}
    </div>
  );
}

export function Stays({ stays }: { stays: Stay[] }) {
  const { t } = useTranslation();
  return (
    <div>
      <h3 className="pb-1 font-medium">{t("privacy.stays")}</h3>
      <dl className="flex flex-col gap-2 text-sm">
        {stays.map(({ what, count, why }) => {
          const known = stayKey(what);
          return (
            <div key={what}>
              <dt>
                {known ? t(`privacy.stay.${known}.what`) : what}{" "}
                {count !== null && <span className="text-ink-muted tabular-nums">{count}</span>}
              </dt>
              <dd className="text-xs text-ink-muted">
                {known ? t(`privacy.stay.${known}.why`) : why}
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}
