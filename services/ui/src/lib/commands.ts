import { useEffect, useRef } from "react";
import type { Shortcut } from "@/lib/shortcuts";

/** What the palette offers. */
export type Command = {
  value: string;
  label: string;
  shortcut?: Shortcut;
  /** Offered whatever was typed. */
  always?: boolean;
  act: () => unknown;
};

const offered: { current: Command[] }[] = [];

/** While mounted, a page offers these: what can be done with what it shows or has selected. */
export function useCommands(commands: Command[]): void {
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  });
  useEffect(() => {
    offered.push(latest);
    return () => void offered.splice(offered.indexOf(latest), 1);
  }, []);
}

export const commandsAtHand = (): Command[] => offered.flatMap(({ current }) => current);

const KEPT = 4;

/** The last few that were chosen, newest first. */
export function recalled(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem("recent") ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function remember(value: string): void {
  const kept = [value, ...recalled().filter((one) => one !== value)].slice(0, KEPT);
  try {
    localStorage.setItem("recent", JSON.stringify(kept));
  } catch {
    // nothing is kept in this browser
  }
}
