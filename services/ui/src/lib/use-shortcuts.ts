import { useEffect, useRef } from "react";
import { usePreference } from "@/lib/preferences";
import { heard, type Shortcut } from "@/lib/shortcuts";

type Deeds = Partial<Record<Shortcut, (event: KeyboardEvent) => unknown>>;

/** The last mounted comes first: a drawer hears before the list beneath it. */
const listeners: { current: Deeds }[] = [];

/** While mounted, these shortcuts do these things; what is left out falls to whoever mounted before. */
export function useShortcuts(deeds: Deeds): void {
  const latest = useRef(deeds);
  useEffect(() => {
    latest.current = deeds;
  });
  useEffect(() => {
    listeners.push(latest);
    return () => void listeners.splice(listeners.indexOf(latest), 1);
  }, []);
}

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const PRESSING = "button:not([data-row]), summary, [role=tab], input[type=checkbox]";
const POPUPS = "[role=dialog], [role=menu], [role=listbox], [role=alertdialog]";

/** Whether the stroke belongs to what has the focus, and not to the page. */
function isTaken(event: KeyboardEvent, shortcut: Shortcut): boolean {
  if (shortcut === "palette") return false;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest(TYPING) || target.closest(POPUPS)) return true;
  if (shortcut === "open") return target.closest(`a[href], ${PRESSING}`) !== null;
  return shortcut === "peek" && target.closest(PRESSING) !== null;
}

/** One ear for the whole page; the shell has it. */
export function useKeyboard(): void {
  const single = usePreference("keys") === "on";
  useEffect(() => {
    let pending: string | null = null;
    let since = 0;
    function hear(event: KeyboardEvent) {
      if (event.defaultPrevented || event.isComposing) return;
      const before = event.timeStamp - since < 1500 ? pending : null;
      const said = heard(event, before, single);
      pending = said.pending;
      since = event.timeStamp;
      if (!said.shortcut || isTaken(event, said.shortcut)) return;
      for (const { current } of listeners.toReversed()) {
        const deed = current[said.shortcut];
        if (!deed) continue;
        event.preventDefault();
        deed(event);
        return;
      }
    }
    document.addEventListener("keydown", hear);
    return () => document.removeEventListener("keydown", hear);
  }, [single]);
}
