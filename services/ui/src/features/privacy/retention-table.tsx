import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Changeable, changeRetention, type Kept } from "@/api";
import { readRetentionOptions } from "@/api/@tanstack/react-query.gen";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { inputLook } from "@/components/ui/input-look";
import { useAct } from "@/lib/act";
import { keptKey } from "./words";

/** How long what is kept. */
export function RetentionTable() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(readRetentionOptions());
  return (
    <section aria-labelledby="retention" className="flex flex-col gap-3">
      <h2 id="retention" className="font-semibold">
        {t("privacy.retention")}
      </h2>
      {error && !data && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {data && (
        <ul className="rounded-lg border border-line">
          {data.items.map((one) => (
            <Line key={`${one.kind} ${one.days}`} of={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ of }: { of: Kept }) {
  const { t } = useTranslation();
  const known = keptKey(of.kind);
  const name = known ? t(`privacy.kept.${known}.what`) : of.kind;
  return (
    <li className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2.5 last:border-0">
      <div className="min-w-0 flex-1 basis-64">
        <p className="font-medium">{name}</p>
        <p className="text-xs text-ink-muted">
          {known ? t(`privacy.kept.${known}.holds`) : of.holds}
        </p>
      </div>
      {of.changeable && of.days !== null ? (
        <Days of={of.kind as Changeable} name={name} days={of.days} />
      ) : (
        <span className="text-sm">
          {of.days === null ? t("privacy.for_ever") : t("privacy.days", { count: of.days })}
        </span>
      )}
    </li>
  );
}

function Days({ of, name, days }: { of: Changeable; name: string; days: number }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(String(days));
  const { act, isPending } = useAct(
    (wanted: number, key) =>
      changeRetention({
        path: { kind: of },
        body: { days: wanted },
        headers: { "Idempotency-Key": key },
        throwOnError: true,
      }),
    { done: t("privacy.saved") },
  );
  return (
    <form
      className="flex items-center gap-2 text-sm"
      onSubmit={(event) => {
        event.preventDefault();
        void act(Number(typed));
      }}
    >
      <input
        type="number"
        min={1}
        max={3650}
        required
        aria-label={t("privacy.days_of", { name })}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        className={`${inputLook} w-20`}
      />
      {t("privacy.unit_days")}
      <Button type="submit" disabled={isPending || Number(typed) === days}>
        {t("do.save")}
      </Button>
    </form>
  );
}
