import { describe, expect, test } from "vitest";
import { agoText, dayText, momentText, regional, utcText } from "./moments";

const half = "2026-11-23T23:30:00Z";

test("a moment is read on the clock of a zone", () => {
  const shown = (zone: string) => momentText(half, { zone, language: "de" });
  expect(shown("Europe/Berlin")).toBe("24.11., 00:30");
  expect(shown("America/New_York")).toBe("23.11., 18:30");
});

test("an hour that a clock shows twice keeps its zone's name", () => {
  const shown = (at: string) =>
    momentText(at, { zone: "Europe/Berlin", language: "de", style: "long" });
  expect(shown("2026-10-25T00:30:00Z")).toContain("MESZ");
  expect(shown("2026-10-25T01:30:00Z")).toContain("MEZ");
});

test("a day without a zone stays the day it is, wherever the browser is", () => {
  expect(dayText("2026-11-23", "fr")).toBe("lun. 23/11/2026");
});

describe("the browser's own tag of a language decides how dates look", () => {
  test("where there is one", () => expect(regional("en", ["de-AT", "en-US"])).toBe("en-US"));
  test("never American by default", () => expect(regional("en", ["de-AT"])).toBe("en-GB"));
});

test("how long ago is told in the language", () => {
  const now = Date.parse("2026-11-24T00:00:00Z");
  expect(agoText(half, now, "en")).toBe("30 minutes ago");
  expect(agoText(half, now, "de")).toBe("vor 30 Minuten"); // codespell:ignore vor
  expect(agoText("2026-11-23T23:59:58Z", now, "en")).toBe("2 seconds ago");
  expect(agoText("2026-11-24T00:00:09Z", now, "en")).toBe("now");
  expect(agoText("2026-11-24T00:02:00Z", now, "en")).toBe("in 2 minutes");
});

test("UTC is told without a doubt", () => {
  expect(utcText("2026-11-23T23:30:00.123456Z")).toBe("2026-11-23 23:30:00 UTC");
});
