import { useSyncExternalStore } from "react";

/** What a person likes, kept in this browser. Values are words, so that `theme.js` can read them too. */
const defaults = {
  theme: "system",
  language: "",
  /** `worker`: each moment in the zone of the worker it is about; `own`: this browser's; else an IANA name. */
  zone: "worker",
  /** Whether shortcuts of one key without a modifier are heard (WCAG 2.1.4). */
  keys: "on",
  density: "comfortable",
};
export type Preference = keyof typeof defaults;

const heard = new Set<() => void>();

function subscribe(hear: () => void): () => void {
  heard.add(hear);
  window.addEventListener("storage", hear);
  return () => {
    heard.delete(hear);
    window.removeEventListener("storage", hear);
  };
}

/** Called after each change of any of them; gives what ends that. */
export const onPreferred = subscribe;

/** A browser that keeps nothing (private mode, blocked storage) still works, with the defaults. */
export function preferred(which: Preference): string {
  try {
    return localStorage.getItem(which) ?? defaults[which];
  } catch {
    return defaults[which];
  }
}

export function prefer(which: Preference, value: string): void {
  try {
    localStorage.setItem(which, value);
  } catch {
    // said for this page only
  }
  for (const hear of heard) hear();
}

export const usePreference = (which: Preference): string =>
  useSyncExternalStore(subscribe, () => preferred(which));
