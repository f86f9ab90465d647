/** Moments are ISO 8601 in UTC on the wire; here they become text in somebody's zone. */

const styles = {
  /** Day and time, without the year while it is this one. */
  short: { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit" },
  long: {
    weekday: "short",
    day: "2-digit",
    month: "2-digit",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  },
  time: { hour: "2-digit", minute: "2-digit" },
  exact: { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
  dayMonth: { day: "2-digit", month: "2-digit" },
  day: { weekday: "short", day: "2-digit", month: "2-digit", year: "numeric" },
} satisfies Record<string, Intl.DateTimeFormatOptions>;
export type MomentStyle = keyof typeof styles;

/** The browser's own tag of that language: British and American dates differ, "en" alone is American. */
export function regional(language: string, tags: readonly string[] = navigator.languages): string {
  const own = tags.find((tag) => tag.toLowerCase().startsWith(language.toLowerCase()));
  return own ?? { de: "de-DE", fr: "fr-FR" }[language] ?? "en-GB";
}

/** Making one costs more than using it a thousand times. */
const formats = new Map<string, Intl.DateTimeFormat>();

export function momentText(
  at: string | Date,
  { zone, language, style = "short" }: { zone?: string; language: string; style?: MomentStyle },
): string {
  const key = `${language}|${zone}|${style}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(regional(language), { ...styles[style], timeZone: zone });
    formats.set(key, format);
  }
  return format.format(typeof at === "string" ? new Date(at) : at);
}

/** A day without a zone, as the API gives it (`2026-11-23`). */
export const dayText = (day: string, language: string): string =>
  momentText(`${day}T12:00:00Z`, { zone: "UTC", language, style: "day" });

export const utcText = (at: string): string => `${at.slice(0, 19).replace("T", " ")} UTC`;

const units = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** The page's clock moves in steps: what came since the last one has not "yet to come". */
export const CLOCK_SECONDS = 10;

/** "2 minutes ago"; only ever beside the exact time. */
export function agoText(at: string, now: number, language: string): string {
  const ahead = Math.round((new Date(at).getTime() - now) / 1000);
  const seconds = ahead > 0 && ahead <= CLOCK_SECONDS ? 0 : ahead;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return format.format(Math.trunc(seconds / size), unit);
}

export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
