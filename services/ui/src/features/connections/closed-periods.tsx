import { useState } from "react";
import { useTranslation } from "react-i18next";
import { closePeriod, type KimaiConnector, type PeriodBody, reopenPeriod } from "@/api";
import { Day } from "@/components/format";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { useAct } from "@/lib/act";

/** Days in which nothing is written any more, because they were billed. */
export function ClosedPeriods({ connector }: { connector: KimaiConnector }) {
  const { t } = useTranslation();
  const [first, setFirst] = useState("");
  const [last, setLast] = useState("");
  const path = { name: connector.name };
  const close = useAct(
    (body: PeriodBody, key) =>
      closePeriod({ path, body, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("closed.closing") },
  );
  const open = useAct(
    (query: PeriodBody, key) =>
      reopenPeriod({ path, query, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("closed.reopened") },
  );
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-muted">{t("closed.why")}</p>
      {connector.closed_periods.length > 0 && (
        <ul className="rounded-lg border border-line">
          {connector.closed_periods.map((period) => (
            <li
              key={period.first_on}
              className="flex items-center gap-2 border-b border-line px-3 py-1.5 last:border-0"
            >
              <span className="flex-1">
                <Day on={period.first_on} /> – <Day on={period.last_on} />
              </span>
              <Button
                size="sm"
                kind="quiet"
                disabled={open.isPending}
                onClick={() => void open.act(period)}
              >
                {t("closed.reopen")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void close.act({ first_on: first, last_on: last });
        }}
      >
        <TextField
          label={t("closed.first")}
          type="date"
          required
          className="w-44"
          value={first}
          onChange={({ target }) => setFirst(target.value)}
        />
        <TextField
          label={t("closed.last")}
          type="date"
          required
          min={first}
          className="w-44"
          value={last}
          onChange={({ target }) => setLast(target.value)}
        />
        <Button type="submit" disabled={close.isPending}>
          {t("closed.close")}
        </Button>
      </form>
    </div>
  );
}
