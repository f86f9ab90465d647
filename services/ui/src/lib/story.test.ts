import { expect, test } from "vitest";
import type { Step } from "@/api";
import { lanes, standings, tell } from "./story";

let offset = 0;
const entry = "zammad:desk:7";
const step = (type: string, message: object, subject = entry): Step => {
  offset += 1;
  return {
    partition: 0,
    offset,
    at: `2026-11-23T08:00:${String(offset).padStart(2, "0")}Z`,
    type: `hourbook.${type}.v1`,
    subject,
    by: null,
    by_name: null,
    message: { ...message },
    traceparent: null,
  };
};
const booked = (seconds: number, subject = entry) =>
  step("entry_recorded", { duration_seconds: seconds }, subject);
const work = (seconds: number) => ({ duration_seconds: seconds, began_at: "", place: null });
const written = (seconds: number | null, sure = true) =>
  step("timesheet_written", { stored: seconds === null ? null : work(seconds), sure });

test("the first time it was booked, then it was changed", () => {
  expect(tell([booked(900), booked(1800)]).map(({ kind }) => kind)).toEqual([
    "entry_recorded",
    "entry_changed",
  ]);
});

test("what Kimai held when it was found later is not what we wrote", () => {
  expect(tell([written(900, false)])[0]?.kind).toBe("timesheet_found");
  expect(tell([written(null)])[0]?.kind).toBe("timesheet_deleted");
});

test("a message that came after this page was made is told as such", () => {
  const [told] = tell([step("invoice_sent", {})]);
  expect(told?.kind).toBe("unknown");
});

test("a person's answer is a person's", () => {
  expect(tell([step("conflict_resolved", { choice: "kimai" })])[0]?.actor).toBe("person");
});

test("the timeline has a row whenever a side moved, and none when it was only read again", () => {
  const rows = lanes(
    tell([
      booked(900),
      step("timesheet_requested", { op: "create", want: work(900) }),
      written(900),
      step("timesheet_observed", { work: work(900) }),
      step("timesheet_observed", { work: work(1200) }),
      booked(1800),
      step("timesheet_vanished", {}),
    ]),
    entry,
  );
  expect(rows.map(({ zammad, kimai }) => [zammad, kimai])).toEqual([
    [900, null],
    [900, 900],
    [900, 1200],
    [1800, 1200],
    [1800, null],
  ]);
});

test("another entry of the ticket moves nothing of this one", () => {
  expect(lanes(tell([booked(900), booked(-300, "zammad:desk:8")]), entry)).toHaveLength(1);
});

test("how it stood is known right after each message", () => {
  const told = tell([
    booked(900),
    step("timesheet_requested", { op: "create", want: work(900) }),
    written(900),
    step("settled", {}),
    step("timesheet_observed", { work: work(2700) }),
    step("conflict_opened", { reason: "changed_in_kimai" }),
  ]);
  expect(standings(told, entry).map(({ zammad, kimai, state }) => [zammad, kimai, state])).toEqual([
    [900, null, "held_back"],
    [900, null, "requested"],
    [900, 900, "requested"],
    [900, 900, "settled"],
    [900, 2700, "settled"],
    [900, 2700, "asks"],
  ]);
});
