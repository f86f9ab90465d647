import { expect, test } from "vitest";
import { steady } from "./steady";

type Row = { id: string; state?: string };
const of = (...ids: string[]): Row[] => ids.map((id) => ({ id }));
const idOf = (row: Row) => row.id;
const told = (shown: Row[], truth: Row[]) => {
  const { rows, fresh } = steady(shown, truth, idOf);
  return [rows.map(({ row, gone }) => (gone ? `(${row.id})` : row.id)).join(" "), fresh];
};

test("what is new does not push what is there", () => {
  expect(told(of("b", "c"), of("a", "b", "c"))).toEqual(["b c", 1]);
});

test("what was asked for by scrolling is shown", () => {
  expect(told(of("a", "b"), of("a", "b", "c", "d"))).toEqual(["a b c d", 0]);
});

test("what is gone stays in its place until the person wants the new", () => {
  expect(told(of("a", "b", "c"), of("a", "c"))).toEqual(["a (b) c", 0]);
});

test("a row changes where it is", () => {
  const { rows } = steady(of("a"), [{ id: "a", state: "settled" }], idOf);
  expect(rows[0]?.row.state).toBe("settled");
});

test("a list that was empty shows what comes", () => {
  expect(told([], of("a"))).toEqual(["a", 0]);
});

test("when all that was shown is gone, what is there now waits to be asked for", () => {
  expect(told(of("a"), of("b", "c"))).toEqual(["(a)", 2]);
});
