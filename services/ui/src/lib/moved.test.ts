import { expect, test } from "vitest";
import * as sdk from "@/api/sdk.gen";
import { type Kind, shownBy } from "./moved";

const moved = (kind: Kind, ...ids: string[]) => new Map([[kind, new Set(ids)]]);
const story = (entry: string) => [{ _id: "readEntry", path: { entry } }];

test("a story is asked for again when its entry moved, and not when another did", () => {
  expect(shownBy(story("zammad:desk:7"), moved("entries", "zammad:desk:7"))).toBe(true);
  expect(shownBy(story("zammad:desk:7"), moved("entries", "zammad:desk:8"))).toBe(false);
});

test("when more moved than can be told, everything of that kind is asked for again", () => {
  expect(shownBy(story("zammad:desk:7"), new Map([["entries", "many"] as const]))).toBe(true);
});

test("a list is asked for again whatever moved of its kind, and for nothing else", () => {
  expect(shownBy([{ _id: "listConflicts" }], moved("conflicts", "a"))).toBe(true);
  expect(shownBy([{ _id: "listConflicts" }], moved("users", "a"))).toBe(false);
  expect(shownBy([{ _id: "somethingElse" }], moved("users", "a"))).toBe(false);
});

test("every list of the API knows what makes it old", () => {
  const lists = Object.keys(sdk).filter((name) => name.startsWith("list"));
  const stays = new Set(["listVisits", "listErasures", "listAccesses"]);
  const kinds: Kind[] = [
    "entries",
    "conflicts",
    "tickets",
    "resolutions",
    "connectors",
    "mappings",
    "schedule",
    "runs",
    "users",
    "jobs",
  ];
  const all = new Map(kinds.map((kind) => [kind, "many" as const]));
  expect(lists.filter((name) => !stays.has(name) && !shownBy([{ _id: name }], all))).toEqual([]);
});
