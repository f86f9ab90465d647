import * as z from "zod/mini";
import type { ListEntriesData } from "@/api";
import { listEntriesInfiniteOptions } from "@/api/@tanstack/react-query.gen";
import { either, words } from "@/lib/search";

export const states = ["asks", "requested", "held_back", "settled", "retracted"] as const;
const sorts = ["created_at", "changed_at", "day", "duration_seconds", "ticket_number"] as const;

/** The page's address: a link shows a colleague the same. A part that makes no sense is left out. */
export const entriesSearch = z.object({
  state: either(z.enum(states)),
  text: words(),
  ticket: words(),
  agent: either(z.int()),
  connection: words(),
  after: either(z.iso.date()),
  before: either(z.iso.date()),
  sort: either(z.enum(sorts)),
  up: either(z.boolean()),
  peek: words(),
});
export type EntriesSearch = z.infer<typeof entriesSearch>;

type Query = NonNullable<ListEntriesData["query"]>;

export const queryOf = (search: EntriesSearch): Query => ({
  state: search.state && [search.state],
  text: search.text,
  ticket: search.ticket,
  agent: search.agent,
  connection: search.connection,
  from_day: search.after,
  to_day: search.before,
  sort: `${search.up ? "" : "-"}${search.sort ?? "created_at"}`,
});

export const entriesOptions = (search: EntriesSearch) => ({
  ...listEntriesInfiniteOptions({ query: { ...queryOf(search), limit: 100 } }),
  initialPageParam: {}, // the client adds nothing; null it would read fields of
  getNextPageParam: ({ next }: { next: string | null }) => next,
});
