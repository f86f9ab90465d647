/**
 * Every shortcut, once: the handler, the hints on buttons and in menus, and the `?` sheet read this table.
 *
 * `Mod` is Ctrl, or ⌘ on a Mac; `g c` is one key after the other.
 */
export const shortcuts = {
  palette: { keys: ["Mod k"], group: "everywhere" },
  help: { keys: ["?"], group: "everywhere" },
  filter: { keys: ["/"], group: "everywhere" },
  goOverview: { keys: ["g o"], group: "go" },
  goConflicts: { keys: ["g c"], group: "go" },
  goEntries: { keys: ["g e"], group: "go" },
  goMappings: { keys: ["g m"], group: "go" },
  goConnections: { keys: ["g n"], group: "go" },
  goDeliveries: { keys: ["g d"], group: "go" },
  goAudit: { keys: ["g a"], group: "go" },
  goLedger: { keys: ["g l"], group: "go" },
  goPeople: { keys: ["g p"], group: "go" },
  goPrivacy: { keys: ["g y"], group: "go" },
  next: { keys: ["j", "ArrowDown"], group: "list" },
  previous: { keys: ["k", "ArrowUp"], group: "list" },
  open: { keys: ["Enter"], group: "list" },
  peek: { keys: [" "], group: "list" },
  select: { keys: ["x"], group: "list" },
  selectNext: { keys: ["Shift ArrowDown", "Shift J"], group: "list" },
  selectPrevious: { keys: ["Shift ArrowUp", "Shift K"], group: "list" },
  selectAll: { keys: ["Mod a"], group: "list" },
  clear: { keys: ["Escape"], group: "list" },
  fresh: { keys: ["n"], group: "list" },
  takeZammad: { keys: ["1"], group: "decide" },
  keepKimai: { keys: ["2"], group: "decide" },
  adopt: { keys: ["3"], group: "decide" },
  anyway: { keys: ["4"], group: "decide" },
  mapNow: { keys: ["m"], group: "decide" },
  undo: { keys: ["z"], group: "decide" },
  retry: { keys: ["r"], group: "decide" },
} as const satisfies Record<string, { keys: readonly string[]; group: string }>;

export type Shortcut = keyof typeof shortcuts;
export type ShortcutGroup = (typeof shortcuts)[Shortcut]["group"];

export type Stroke = {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
};

const named = new Map<string, Shortcut>();
for (const [name, { keys }] of Object.entries(shortcuts)) {
  for (const chord of keys) named.set(chord, name as Shortcut);
}
const firsts = new Set(
  [...named.keys()].filter((chord) => /^\w \w$/.test(chord)).map((chord) => chord.slice(0, 1)),
);

/** As it is written in the table; null where a modifier makes it somebody else's. */
function chordOf({ key, ctrlKey, metaKey, shiftKey, altKey }: Stroke): string | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) return `Mod ${key.toLowerCase()}`;
  const shifted = shiftKey && (key.startsWith("Arrow") || /^[A-Z]$/.test(key));
  return shifted ? `Shift ${key}` : key;
}

/**
 * What a stroke means, given the one before it: a shortcut, the first half of one, or nothing.
 * `single`: whether shortcuts without a modifier are wanted at all.
 */
export function heard(
  stroke: Stroke,
  before: string | null,
  single: boolean,
): { shortcut: Shortcut | null; pending: string | null } {
  const chord = chordOf(stroke);
  if (chord === null || (!single && !chord.startsWith("Mod ") && chord !== "Escape")) {
    return { shortcut: null, pending: null };
  }
  const both = before && named.get(`${before} ${chord}`);
  if (both) return { shortcut: both, pending: null };
  if (firsts.has(chord)) return { shortcut: null, pending: chord };
  return { shortcut: named.get(chord) ?? null, pending: null };
}

const signs: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  Enter: "↵",
  Escape: "Esc",
  Shift: "⇧",
};

/** For `<kbd>`: the parts of the first of its chords, or of each. `space` is said in a language. */
export function hint(chord: string, space: string, mac = isMac()): string[] {
  if (chord === " ") return [space];
  return chord.split(" ").map((part) => {
    if (part === "Mod") return mac ? "⌘" : "Ctrl";
    return signs[part] ?? (chord.startsWith("Mod") ? part.toUpperCase() : part);
  });
}

const isMac = () => typeof navigator !== "undefined" && /Mac|iP/.test(navigator.platform);
