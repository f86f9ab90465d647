import { expect, test } from "vitest";
import * as z from "zod/mini";
import { words } from "./search";

const search = z.object({ text: words() });

test("a ticket's number typed into the address is a word to search for", () => {
  expect(search.parse({ text: 67009 })).toEqual({ text: "67009" });
});

test("what is no word is as if it were not in the address", () => {
  expect(search.parse({ text: ["a"] })).toEqual({ text: undefined });
  expect(search.parse({})).toEqual({});
});
