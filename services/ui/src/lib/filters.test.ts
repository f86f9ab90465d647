import { expect, test } from "vitest";
import { dayOf, mondayOf, typed } from "./filters";

const keys = ["ticket", "worker"] as const;

test("what has a key that the page knows is a filter, the rest are words", () => {
  expect(typed('ticket:41001 printer worker:"Anna Keller" zammad:desk:7', keys)).toEqual({
    found: { ticket: "41001", worker: "Anna Keller" },
    text: "printer zammad:desk:7",
  });
});

test("of two values for one key the last one counts", () => {
  expect(typed("ticket:1 ticket:2", keys).found.ticket).toBe("2");
});

test("a day that is none is not sent to the service", () => {
  expect(dayOf("2026-11-23")).toBe("2026-11-23");
  expect(dayOf("2026-13-40")).toBeUndefined();
  expect(dayOf("yesterday")).toBeUndefined();
});

test("a week begins on Monday, in the zone of whoever asks", () => {
  const sundayEvening = new Date("2026-11-29T22:30:00Z");
  expect(mondayOf(sundayEvening, "Europe/London")).toBe("2026-11-23");
  expect(mondayOf(sundayEvening, "Asia/Tokyo")).toBe("2026-11-30");
});
