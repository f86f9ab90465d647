import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kinds } from "@/lib/story";
import en from "./en.json";

const source = (path: string) =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((found) => found[1]);

test("every reason to ask a person has a title and a sentence", () => {
  const python = source("contracts/src/hourbook_contracts/reasons.py");
  const reasons = all(python, /^ {4}[A-Z_]+ = "(\w+)"/gm);
  expect(reasons.length).toBeGreaterThan(15);
  expect(Object.keys(en.reason)).toEqual(expect.arrayContaining(reasons));
});

test("every refusal of Kimai's that is remembered has its words", () => {
  const python = source("contracts/src/hourbook_contracts/reasons.py");
  const whys = all(python, /^ {4}"(\w+)": Reason/gm);
  expect(whys.length).toBeGreaterThan(5);
  expect(Object.keys(en.refusal)).toEqual(expect.arrayContaining(whys));
});

test("every problem of the API's catalogue has a title and a sentence", () => {
  const python = source("services/query-api/src/hourbook_query_api/problems.py");
  const slugs = all(python, /ProblemType\("([\w-]+)"/g).map((slug) => slug?.replaceAll("-", "_"));
  expect(slugs.length).toBeGreaterThan(10);
  expect(Object.keys(en.problem)).toEqual(expect.arrayContaining(slugs));
});

test("every message of the ledger can be told", () => {
  const python = source("contracts/src/hourbook_contracts/ledger.py");
  const types = all(python, /TYPE: ClassVar = "hourbook\.(\w+)\.v1"/g);
  const told = new Set<string>(kinds);
  const by: Record<string, string> = { timesheet_requested: "requested_create" };
  expect(types.filter((type) => !told.has(by[type ?? ""] ?? type ?? ""))).toEqual([]);
  expect(Object.keys(en.step)).toEqual(expect.arrayContaining([...kinds]));
});
