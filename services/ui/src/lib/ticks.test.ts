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
