import { describe, expect, test } from "vitest";
import { heard, hint, type Stroke, shortcuts } from "./shortcuts";

const stroke = (key: string, more: Partial<Stroke> = {}): Stroke => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});

test("one key after the other goes somewhere", () => {
  const first = heard(stroke("g"), null, true);
  expect(first).toEqual({ shortcut: null, pending: "g" });
  expect(heard(stroke("c"), first.pending, true).shortcut).toBe("goConflicts");
});

test("another key after the first one is heard on its own", () => {
  expect(heard(stroke("j"), "g", true).shortcut).toBe("next");
});

test("Ctrl and ⌘ are the same, also with capitals", () => {
  expect(heard(stroke("k", { ctrlKey: true }), null, true).shortcut).toBe("palette");
  expect(heard(stroke("K", { metaKey: true }), null, true).shortcut).toBe("palette");
});

test("Alt is somebody else's", () => {
  expect(heard(stroke("j", { altKey: true }), null, true).shortcut).toBeNull();
});

test("Shift makes a range of the arrows, and a question mark stays one", () => {
  expect(heard(stroke("ArrowDown", { shiftKey: true }), null, true).shortcut).toBe("selectNext");
  expect(heard(stroke("?", { shiftKey: true }), null, true).shortcut).toBe("help");
});

describe("a person who switched single keys off", () => {
  test("decides nothing by a slip of a finger", () => {
    expect(heard(stroke("1"), null, false).shortcut).toBeNull();
    expect(heard(stroke("c"), "g", false).shortcut).toBeNull();
  });
  test("still has the palette, and Escape", () => {
    expect(heard(stroke("k", { ctrlKey: true }), null, false).shortcut).toBe("palette");
    expect(heard(stroke("Escape"), null, false).shortcut).toBe("clear");
  });
});

test("no two shortcuts share a chord", () => {
  const chords = Object.values(shortcuts).flatMap(({ keys }) => [...keys] as string[]);
  expect(new Set(chords).size).toBe(chords.length);
});

test("a hint says what to press on this kind of keyboard", () => {
  expect(hint("Mod k", "Space", false)).toEqual(["Ctrl", "K"]);
  expect(hint("Mod k", "Space", true)).toEqual(["⌘", "K"]);
  expect(hint(" ", "Leertaste", false)).toEqual(["Leertaste"]);
  expect(hint("g c", "Space", false)).toEqual(["g", "c"]);
});
