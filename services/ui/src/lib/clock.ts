import { useSyncExternalStore } from "react";
import { CLOCK_SECONDS } from "./moments";

let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(watch: () => void): () => void {
  watchers.add(watch);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, CLOCK_SECONDS * 1000);
  return () => {
    watchers.delete(watch);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** One clock for all that says "2 minutes ago", moving every ten seconds. Milliseconds. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);
