import { expect, test } from "vitest";
import { inOrder } from "./order";

const itself = (row: string) => row;

test("a row that counts more by now does not move, and a new one stands behind all", () => {
  expect(inOrder([], ["a", "b"], itself)).toEqual(["a", "b"]);
  expect(inOrder(["a", "b"], ["c", "b", "a"], itself)).toEqual(["a", "b", "c"]);
});

test("what is gone leaves the others where they are", () => {
  expect(inOrder(["a", "b", "c"], ["c", "a"], itself)).toEqual(["a", "c"]);
});
