import * as z from "zod/mini";
import type { JobShown } from "@/api";
import { either, words } from "@/lib/search";

export type JobKind = JobShown["kind"];

/** What an operator may ask for, and what only an administrator. */
export const lookingKinds = ["as_of", "compare", "what_if"] as const satisfies JobKind[];
export const askedKinds = [
  ...lookingKinds,
  "resync_plan",
  "rebuild",
  "drop_old",
] as const satisfies JobKind[];
export type AskedKind = (typeof askedKinds)[number];

export const ledgerSearch = z.object({
  kind: either(z.enum(askedKinds)),
  of: words(),
  job: words(),
});

export const isOver = ({ state }: Pick<JobShown, "state">): boolean =>
  state === "done" || state === "failed" || state === "cancelled";
