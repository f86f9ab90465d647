import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { streamChanges } from "@/api";
import { type Kind, shownBy } from "@/lib/moved";

/**
 * `live`: told as it happens; `polling`: asked every few seconds; `paused`: nobody looks at this tab;
 * `offline`: this machine has no network.
 */
export type Liveness = "live" | "reconnecting" | "polling" | "paused" | "offline";

/** How often to ask what no event tells: whether both sides answer. */
export const LOOK_MS = 10_000;
const POLL_MS = 15_000;
const GATHER_MS = 300;
const FAILURES_BEFORE_POLLING = 3;

let liveness: Liveness = "reconnecting";
const heard = new Set<() => void>();

function become(next: Liveness): void {
  if (next === liveness) return;
  liveness = next;
  for (const hear of heard) hear();
}

export const useLiveness = (): Liveness =>
  useSyncExternalStore(
    (hear) => {
      heard.add(hear);
      return () => heard.delete(hear);
    },
    () => liveness,
  );

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Why there is no sense in listening now; null where there is. */
const away = (): "paused" | "offline" | null => {
  if (document.hidden) return "paused";
  return navigator.onLine ? null : "offline";
};

/** Called whenever `away` may have changed, until the signal. */
function watch(look: () => void, signal: AbortSignal): void {
  document.addEventListener("visibilitychange", look, { signal });
  window.addEventListener("online", look, { signal });
  window.addEventListener("offline", look, { signal });
}

const untilBack = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = new AbortController();
    const look = () => {
      const why = away();
      if (why) become(why);
      else {
        done.abort();
        resolve();
      }
    };
    watch(look, AbortSignal.any([signal, done.signal]));
    signal.addEventListener("abort", () => resolve());
    look();
  });

/** Ids come, contents do not: what shows them asks again. Several at once are one asking. */
function gathering(queries: QueryClient) {
  const moved = new Map<Kind, Set<string> | "many">();
  let waiting = false;
  const pass = () => {
    waiting = false;
    const taken = new Map(moved);
    moved.clear();
    void queries.invalidateQueries({ predicate: ({ queryKey }) => shownBy(queryKey, taken) });
  };
  return (kind: Kind, ids: string[], many: boolean) => {
    const known = moved.get(kind);
    if (many || known === "many") moved.set(kind, "many");
    else moved.set(kind, new Set([...(known ?? []), ...ids]));
    if (!waiting) setTimeout(pass, GATHER_MS);
    waiting = true;
  };
}

/** One stream, until it ends by itself or breaks; whether it was open at all. */
async function listen(queries: QueryClient, signal: AbortSignal): Promise<boolean> {
  const hear = gathering(queries);
  let open = false;
  const { stream } = await streamChanges({
    signal,
    sseMaxRetryAttempts: 1,
    onSseEvent: ({ event, data }) => {
      if (event === "hello") {
        open = true;
        become("live");
        void queries.invalidateQueries(); // what moved while nobody listened is not told again
      }
      if (event === "moved") {
        const { kind, ids, many } = data as { kind: Kind; ids: string[]; many: boolean };
        hear(kind, ids, many);
      }
    },
  });
  for await (const _ of stream) {
    if (away()) break;
  }
  return open;
}

/** Keeps what is shown true while the page is looked at. */
async function keepTrue(queries: QueryClient, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    if (away()) {
      await untilBack(signal);
      failures = 0;
    }
    const here = new AbortController();
    watch(() => away() && here.abort(), here.signal);
    const open = await listen(queries, AbortSignal.any([signal, here.signal])).catch(() => false);
    here.abort();
    if (signal.aborted || away()) continue;
    failures = open ? 0 : failures + 1;
    if (failures < FAILURES_BEFORE_POLLING) {
      become("reconnecting");
      await sleep(failures * 1000, signal);
    } else {
      become("polling");
      void queries.invalidateQueries();
      await sleep(POLL_MS, signal);
    }
  }
}

export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const whole = new AbortController();
    void keepTrue(queries, whole.signal);
    return () => whole.abort();
  }, [queries]);
}
