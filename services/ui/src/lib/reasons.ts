import i18next from "i18next";
import type en from "@/locales/en.json";

export type ReasonKey = keyof typeof en.reason;
export type RefusalKey = keyof typeof en.refusal;

/** What there is a text for; anything else is newer than this page. */
export const reasonKey = (reason: string | null | undefined): ReasonKey =>
  (reason && i18next.exists(`reason.${reason}.title`) ? reason : "unknown") as ReasonKey;

export const refusalKey = (why: string | null | undefined): RefusalKey =>
  (why && i18next.exists(`refusal.${why}`) ? why : "unknown") as RefusalKey;
