import { useSyncExternalStore } from "react";

/** A sentence in the corner for a while, perhaps with what can be done about it. */
export type Told = {
  title: string;
  description?: string;
  /** Milliseconds. */
  timeout: number;
  urgent?: boolean;
  deed?: { label: string; do: () => void };
};

type Listener = (told: Told) => void;
const waiting: Told[] = [];
const heard = new Set<() => void>();
let show: Listener | null = null;

/** May be called before what shows it has been fetched. */
export function tell(told: Told): void {
  if (show) show(told);
  else waiting.push(told);
  for (const hear of heard) hear();
}

/** For the one that shows them; gives what ends that. */
export function onTold(listener: Listener): () => void {
  show = listener;
  for (const told of waiting.splice(0)) listener(told);
  return () => {
    show = null;
  };
}

/** Whether there was ever anything to tell: what shows it is fetched then. */
export const useAnythingTold = (): boolean =>
  useSyncExternalStore(
    (hear) => {
      heard.add(hear);
      return () => heard.delete(hear);
    },
    () => show !== null || waiting.length > 0,
  );
