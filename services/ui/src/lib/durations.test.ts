import { expect, test } from "vitest";
import { clockText, decimalHours, isoDuration } from "./durations";

test.each([
  [0, "0:00"],
  [900, "0:15"],
  [5400, "1:30"],
  [86_400, "24:00"],
  [-5400, "\u22121:30"],
])("%i seconds are told as a clock would", (seconds, text) => {
  expect(clockText(seconds)).toBe(text);
});

test("seconds that do not make a whole minute are shown, not rounded away", () => {
  expect(clockText(90)).toBe("0:01:30");
  expect(clockText(-1)).toBe("\u22120:00:01");
});

test("decimal hours have the digits of the language", () => {
  expect(decimalHours(4500, "de")).toBe("1,25");
  expect(decimalHours(4500, "en")).toBe("1.25");
  expect(decimalHours(60, "en")).toBe("0.0167");
});

test("a machine reads a length as ISO 8601", () => {
  expect(isoDuration(5430)).toBe("PT1H30M30S");
});
