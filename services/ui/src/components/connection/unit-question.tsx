import { useState } from "react";
import { useTranslation } from "react-i18next";
import { confirmUnit, type SourceConnector, type UnitBody, type ZammadConnector } from "@/api";
import { Moment } from "@/components/format";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { useAct } from "@/lib/act";
import { decimalHours } from "@/lib/durations";
import { units, useUnitLength } from "@/lib/units";

const choices = { ...units, custom: 60 } satisfies Record<UnitBody["unit"], number>;

/** Zammad keeps a number without a unit: only a person knows what one of it is worth. */
export function UnitQuestion({ connector }: { connector: ZammadConnector | SourceConnector }) {
  const { t, i18n } = useTranslation();
  const [unit, setUnit] = useState<UnitBody["unit"]>("minute");
  const [seconds, setSeconds] = useState(60);
  const each = unit === "custom" ? seconds : choices[unit];
  const { act, isPending } = useAct(
    (body: UnitBody, key) =>
      confirmUnit({
        path: { name: connector.name },
        body,
        headers: { "Idempotency-Key": key },
        throwOnError: true,
      }),
    { done: t("unit.confirmed") },
  );
  const known = connector.units.at(-1);
  const lengthOf = useUnitLength();
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-muted">
        {t(connector.kind === "zammad" ? "unit.why" : "unit.why_source")}
      </p>
      {connector.units.map((one) => (
        <p key={one.effective_from}>
          {t("unit.is", { length: lengthOf(one.seconds_per_unit) })}{" "}
          <span className="text-xs text-ink-muted">
            {Date.parse(one.effective_from) === 0 ? (
              t("unit.always")
            ) : (
              <>
                {t("unit.since")} <Moment at={one.effective_from} style="long" />
              </>
            )}
          </span>
        </p>
      ))}
      <div className="flex flex-wrap items-end gap-2">
        <Select
          label={t("unit.label")}
          value={unit}
          options={(Object.keys(choices) as UnitBody["unit"][]).map((value) => ({
            value,
            label: t(`unit.of.${value}`),
          }))}
          onChange={(next) => setUnit(next as UnitBody["unit"])}
        />
        {unit === "custom" && (
          <TextField
            label={t("unit.seconds")}
            type="number"
            min={1}
            max={86_400}
            className="w-32"
            value={seconds}
            onChange={({ target }) => setSeconds(Number(target.value))}
          />
        )}
        <Button
          kind={known ? "plain" : "primary"}
          disabled={isPending}
          onClick={() => void act({ unit, seconds_per_unit: each })}
        >
          {known ? t("unit.change") : t("unit.confirm")}
        </Button>
      </div>
      <p className="text-xs text-ink-muted">
        {t("unit.example", {
          source: connector.kind === "zammad" ? "Zammad" : connector.name,
          hours: decimalHours(each * 15, i18n.language),
        })}
      </p>
    </div>
  );
}
