import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type KimaiConnector, switchWriting } from "@/api";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { useAct } from "@/lib/act";
import { dayIn } from "@/lib/filters";
import { ownZone } from "@/lib/moments";

/** From when on time is written, as it was said, or else from today. */
export const firstDay = ({ start_on }: KimaiConnector) => start_on ?? dayIn(new Date(), ownZone());

/** Nothing is written before a person switches it on, and nothing of before its first day. */
export function WritingSwitch({
  connector,
  onDay,
}: {
  connector: KimaiConnector;
  /** Another day was chosen, and not yet said. */
  onDay?: (day: string) => void;
}) {
  const { t } = useTranslation();
  const [startOn, setStartOn] = useState(firstDay(connector));
  const { act, isPending } = useAct(
    (on: boolean, key) =>
      switchWriting({
        path: { name: connector.name },
        body: { on, start_on: startOn },
        headers: { "Idempotency-Key": key },
        throwOnError: true,
      }),
    { done: t("writing.said") },
  );
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-muted">{t(connector.writing ? "writing.is_on" : "writing.is_off")}</p>
      <div className="flex flex-wrap items-end gap-2">
        <TextField
          label={t("writing.start_on")}
          type="date"
          className="w-44"
          value={startOn}
          onChange={({ target }) => {
            setStartOn(target.value);
            if (target.value) onDay?.(target.value);
          }}
        />
        {connector.writing ? (
          <>
            <Button disabled={isPending} onClick={() => void act(true)}>
              {t("writing.keep")}
            </Button>
            <Button kind="danger" disabled={isPending} onClick={() => void act(false)}>
              {t("writing.off")}
            </Button>
          </>
        ) : (
          <Button kind="primary" disabled={isPending} onClick={() => void act(true)}>
            {t("writing.on")}
          </Button>
        )}
      </div>
    </div>
  );
}
