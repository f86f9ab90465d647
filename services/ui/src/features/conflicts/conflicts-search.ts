import * as z from "zod/mini";
import type { ListConflictsData } from "@/api";
import { listConflictsInfiniteOptions } from "@/api/@tanstack/react-query.gen";
import { either, words } from "@/lib/search";

/** The page's address: a link shows a colleague the same question under the same filters. */
export const conflictsSearch = z.object({
  conflict: words(),
  reason: words(),
  agent: either(z.int()),
  connection: words(),
  text: words(),
  after: either(z.iso.date()),
  before: either(z.iso.date()),
  peek: either(z.boolean()),
});
export type ConflictsSearch = z.infer<typeof conflictsSearch>;

/** As the service narrows by, whether to list, to count or to answer. */
export const narrowing = (search: ConflictsSearch) => ({
  reason: search.reason ? [search.reason] : undefined,
  agent: search.agent,
  connection: search.connection,
  text: search.text,
  from_day: search.after,
  to_day: search.before,
});

/** By reason, so that alike questions stand together; the longest waiting first among them. */
export const conflictsOptions = (search: ConflictsSearch) => ({
  ...listConflictsInfiniteOptions({
    query: {
      ...narrowing(search),
      sort: "reason",
      limit: 50,
    } satisfies ListConflictsData["query"],
  }),
  initialPageParam: {}, // the client adds nothing; null it would read fields of
  getNextPageParam: ({ next }: { next: string | null }) => next,
});
