import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { confirmErasure, type Erasure, withdrawErasure } from "@/api";
import { listErasuresOptions, readErasureOptions } from "@/api/@tanstack/react-query.gen";
import { Empty } from "@/components/empty";
import { Moment } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useAct } from "@/lib/act";
import { useSession } from "@/lib/session";
import { Stays } from "./person";

/** Asked by one administrator, confirmed by another. */
export function Erasures() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(listErasuresOptions());
  const [shown, setShown] = useState<string | null>(null);
  return (
    <section aria-labelledby="erasures" className="flex flex-col gap-3">
      <h2 id="erasures" className="font-semibold">
        {t("privacy.erasures")}
      </h2>
      {error && !data && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {data?.items.length === 0 && <Empty kind="nothing_yet" title={t("privacy.nobody_yet")} />}
      {data && data.items.length > 0 && (
        <ul className="rounded-lg border border-line">
          {data.items.map((one) => (
            <Asked key={one.erasure} of={one} onReport={setShown} />
          ))}
        </ul>
      )}
      {shown && <Report erasure={shown} onClose={() => setShown(null)} />}
    </section>
  );
}

function Asked({ of, onReport }: { of: Erasure; onReport: (erasure: string) => void }) {
  const { t } = useTranslation();
  const mine = useSession()?.user === of.asked_by;
  const path = { erasure: of.erasure };
  const confirm = useAct(
    (_: null, key) =>
      confirmErasure({ path, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("privacy.erased") },
  );
  const withdraw = useAct((_: null, key) =>
    withdrawErasure({ path, headers: { "Idempotency-Key": key }, throwOnError: true }),
  );
  return (
    <li className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5 last:border-0">
      <div className="min-w-0 flex-1 basis-64">
        <p className="truncate font-medium">{of.identities.join(", ")}</p>
        <p className="text-xs text-ink-muted">
          {t(`privacy.state.${of.state}`)} · <Moment at={of.ended_at ?? of.asked_at} />
          {of.state === "erased" && ` · ${t("privacy.keys", { count: of.keys })}`}
        </p>
      </div>
      {of.state === "asked" && (
        <>
          {mine ? (
            <span className="text-xs text-ink-muted">{t("privacy.another_confirms")}</span>
          ) : (
            <Button
              kind="danger"
              disabled={confirm.isPending}
              onClick={() => void confirm.act(null)}
            >
              {t("privacy.confirm")}
            </Button>
          )}
          <Button disabled={withdraw.isPending} onClick={() => void withdraw.act(null)}>
            {t("privacy.withdraw")}
          </Button>
        </>
      )}
      <Button onClick={() => onReport(of.erasure)}>{t("privacy.report")}</Button>
    </li>
  );
}

function Report({ erasure, onClose }: { erasure: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(readErasureOptions({ path: { erasure } }));
  return (
    <Dialog open onOpen={onClose} title={t("privacy.report")}>
      {error && !data && <ProblemPanel error={error} retry={refetch} />}
      {data && (
        <>
          <p className="pb-3">
            {t(`privacy.state.${data.state}`)} · {t("privacy.keys", { count: data.keys })}
          </p>
          <Stays stays={data.stays} />
        </>
      )}
    </Dialog>
  );
}
