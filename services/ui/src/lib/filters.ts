/**
 * What a person types into a filter: words, and `key:value` with keys that the page knows.
 * A value with spaces stands in quotes: `worker:"Anna Keller"`.
 */
export type Typed<Key extends string> = { found: Partial<Record<Key, string>>; text: string };

const TOKEN = /(?:(\w+):)?(?:"([^"]*)"|(\S+))/g;

export function typed<Key extends string>(line: string, keys: readonly Key[]): Typed<Key> {
  const found: Partial<Record<Key, string>> = {};
  const words: string[] = [];
  for (const [whole, key, quoted, plain] of line.matchAll(TOKEN)) {
    const value = quoted ?? plain ?? "";
    if (key !== undefined && keys.includes(key as Key)) found[key as Key] = value;
    else words.push(whole);
  }
  return { found, text: words.join(" ") };
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day as the API takes it; nothing where it is none. */
export function dayOf(text: string | undefined): string | undefined {
  if (!text || !DAY.test(text) || Number.isNaN(Date.parse(text))) return undefined;
  return text;
}

/** The day on which this moment is, in a zone. */
export const dayIn = (now: Date, zone: string): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(now);

/** The Monday of the week in which this moment is, in a zone. */
export function mondayOf(now: Date, zone: string): string {
  const date = new Date(`${dayIn(now, zone)}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}
