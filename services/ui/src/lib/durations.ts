/** Durations are whole seconds everywhere; here they become text. Nothing is ever rounded away. */

const MINUS = "\u2212";

/** `0:15`, `−1:30`; seconds only where there are some: `0:01:30`. */
export function clockText(seconds: number): string {
  const all = Math.abs(seconds);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  const tail = rest ? `:${two(rest)}` : "";
  return `${seconds < 0 ? MINUS : ""}${hours}:${two(minutes)}${tail}`;
}

/** ISO 8601, as `<time datetime>` wants it; it knows no negative ones. */
export function isoDuration(seconds: number): string {
  const all = Math.abs(seconds);
  return `PT${Math.floor(all / 3600)}H${Math.floor(all / 60) % 60}M${all % 60}S`;
}

/** Decimal hours in the language's digits: `1,25`. */
export function decimalHours(seconds: number, language: string): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 4 }).format(seconds / 3600);
}
