import { expect, test } from "vitest";
import { every, kept, nothing, ranged, toggled } from "./selection";

const order = ["a", "b", "c", "d"];
const told = ({ ids }: { ids: ReadonlySet<string> }) => [...ids].sort().join("");

test("one is selected, and no more when it is selected again", () => {
  const once = toggled(nothing, "b");
  expect(told(once)).toBe("b");
  expect(told(toggled(once, "b"))).toBe("");
});

test("a range goes from where it began to here, upwards too", () => {
  const begun = toggled(nothing, "c");
  expect(told(ranged(begun, "d", order))).toBe("cd");
  expect(told(ranged(begun, "a", order))).toBe("abc");
});

test("a range that began nowhere begins here", () => {
  expect(told(ranged(nothing, "b", order))).toBe("b");
});

test("choosing one again ends that everything is meant", () => {
  expect(toggled({ ...every(order), all: true }, "a").all).toBe(false);
});

test("what is no longer there is not selected either", () => {
  expect(told(kept(every(order), ["b", "d"]))).toBe("bd");
  const was = every(order);
  expect(kept(was, order)).toBe(was);
});
