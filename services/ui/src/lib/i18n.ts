import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { prefer, preferred } from "@/lib/preferences";
import type en from "@/locales/en.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

export const languages = ["de", "en", "fr"] as const;
export type Language = (typeof languages)[number];
/** As each calls itself. */
export const ownNames = { de: "Deutsch", en: "English", fr: "Français" } satisfies Record<
  Language,
  string
>;

const texts = {
  de: () => import("@/locales/de.json"),
  en: () => import("@/locales/en.json"),
  fr: () => import("@/locales/fr.json"),
};

/** The first that we speak, in the order a person wants them; English when none is. */
export function spoken(wanted: readonly string[]): Language {
  const tags = wanted.map((tag) => tag.slice(0, 2).toLowerCase());
  const known = tags.find((tag) => languages.some((language) => language === tag));
  return (known as Language | undefined) ?? "en";
}

async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "translation")) return;
  i18next.addResourceBundle(language, "translation", (await texts[language]()).default);
}

async function say(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function speak(language: Language): Promise<void> {
  prefer("language", language);
  await say(language);
}

/** Only the texts of the language at hand are fetched: that all three say everything is tested. */
export async function startSpeaking(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: {},
    fallbackLng: false,
    interpolation: { escapeValue: false },
  });
  await say(spoken([preferred("language"), ...navigator.languages]));
}
