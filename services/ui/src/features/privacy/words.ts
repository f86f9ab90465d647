import i18next from "i18next";
import type en from "@/locales/en.json";

type StayKey = keyof typeof en.privacy.stay;
type KeptKey = keyof typeof en.privacy.kept;

/** What there is a text for; anything else is newer than this page, and told as the API says it. */
export const stayKey = (what: string): StayKey | null =>
  i18next.exists(`privacy.stay.${what}.what`) ? (what as StayKey) : null;

export const keptKey = (kind: string): KeptKey | null =>
  i18next.exists(`privacy.kept.${kind}.what`) ? (kind as KeptKey) : null;
