import { expect, test } from "vitest";
import { ticks } from "./ticks";

test.each([
  [0, [0, 1]],
  [3, [0, 1, 2, 3]],
  [7.5, [0, 5, 10]],
  [0.4, [0, 0.2, 0.4]],
  [240, [0, 100, 200, 300]],
])("the axis of a chart up to %d has round numbers that hold it", (most, wanted) => {
  expect(ticks(most)).toEqual(wanted);
});

test.each([
  [1, [0, 1]],
  [4, [0, 2, 4]],
])("of what comes in whole ones, up to %d, no part of one is named", (most, wanted) => {
  expect(ticks(most, true)).toEqual(wanted);
});
