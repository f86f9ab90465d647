import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import en from "@/locales/en.json";
import { actKindOf, actKinds } from "./acts";

test("every control event can be told in words", () => {
  const python = ["control", "house"]
    .map((name) => `../../../../contracts/src/hourbook_contracts/${name}.py`)
    .map((path) => readFileSync(new URL(path, import.meta.url), "utf8"))
    .join("");
  const types = [...python.matchAll(/TYPE: ClassVar = "(hourbook\.\w+\.v1)"/g)].map(
    ([, type]) => type ?? "",
  );
  expect(types.length).toBeGreaterThan(15);
  const unknown = types.filter((type) => actKindOf({ type, message: {} }) === "unknown");
  expect(unknown).toEqual([]);
});

test("every kind of act has its sentence", () => {
  expect(Object.keys(en.act)).toEqual(expect.arrayContaining([...actKinds]));
});

test("switching writing on is not switching it off", () => {
  const type = "hourbook.writing_switched.v1";
  expect(actKindOf({ type, message: { on: true } })).toBe("writing_on");
  expect(actKindOf({ type, message: { on: false } })).toBe("writing_off");
});

test("what was changed of a person is told, also where a later release calls it otherwise", () => {
  const type = "hourbook.user_changed.v1";
  expect(actKindOf({ type, message: { what: "made" } })).toBe("user_made");
  expect(actKindOf({ type, message: { what: "active", active: false } })).toBe("user_out");
  expect(actKindOf({ type, message: { what: "renamed" } })).toBe("user_changed");
});
