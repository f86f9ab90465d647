import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

/** `live`: told as it happens; `polling`: asked every few seconds; `paused`: nobody looks at this tab. */
export type Liveness = "live" | "polling" | "paused";

const POLL_MS = 15_000;
let liveness: Liveness = "polling";
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

/** Keeps what is shown true while the page is looked at. */
function keepTrue(queries: QueryClient): () => void {
  const look = () => {
    if (document.hidden) return become("paused");
    become("polling");
    void queries.invalidateQueries();
  };
  const timer = setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => keepTrue(queries), [queries]);
}
