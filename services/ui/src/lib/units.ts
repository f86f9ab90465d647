import { useTranslation } from "react-i18next";
import { decimalHours } from "@/lib/durations";

/** The units that have a name of their own, in seconds. */
export const units = { minute: 60, quarter: 900, hour: 3600 } as const;

/** What one unit of Zammad's is worth, in words where there are some. */
export function useUnitLength(): (seconds: number) => string {
  const { t, i18n } = useTranslation();
  return (seconds) => {
    const named = (["minute", "quarter", "hour"] as const).find((one) => units[one] === seconds);
    return named
      ? t(`unit.of.${named}`)
      : t("time.hours", { hours: decimalHours(seconds, i18n.language) });
  };
}
