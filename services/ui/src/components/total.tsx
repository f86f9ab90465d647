import { useTranslation } from "react-i18next";
import type { Total as Counted } from "@/api";

/** How many there are; above the cap of the count it says "more than". */
export function Total({
  of,
  what,
}: {
  of: Counted | undefined;
  what: "entries" | "conflicts" | "deliveries" | "events";
}) {
  const { t } = useTranslation();
  if (!of) return null;
  return of.capped
    ? t(`more_than.${what}`, { count: of.count })
    : t(`count.${what}`, { count: of.count });
}
