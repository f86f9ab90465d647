import { prefer, preferred, usePreference } from "@/lib/preferences";

export const themes = ["light", "dark", "system"] as const;
export type Theme = (typeof themes)[number];
export const densities = ["comfortable", "compact"] as const;
export type Density = (typeof densities)[number];

const dark = () => matchMedia("(prefers-color-scheme: dark)");

export function wear(theme: Theme): void {
  prefer("theme", theme);
  dress();
}

export function pack(density: Density): void {
  prefer("density", density);
  dress();
}

/** As preferred; `public/theme.js` did the same before the first paint. */
export function dress(): void {
  const theme = preferred("theme");
  const page = document.documentElement.dataset;
  page.theme = theme === "dark" || (theme !== "light" && dark().matches) ? "dark" : "light";
  page.density = preferred("density");
}

/** The system may change its mind while the page is open. */
export function startDressing(): void {
  dress();
  dark().addEventListener("change", dress);
}

/** Of a row in a list, in pixels: `--row` in styles.css. */
export const useRowHeight = (): number => (usePreference("density") === "compact" ? 30 : 36);
