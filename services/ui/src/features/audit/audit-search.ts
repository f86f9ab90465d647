import * as z from "zod/mini";
import { listActsInfiniteOptions } from "@/api/@tanstack/react-query.gen";
import { either, words } from "@/lib/search";

export const auditSearch = z.object({
  by: words(),
  /** Also what the clock and the services did. */
  everybody: either(z.boolean()),
  type: words(),
  subject: words(),
});
export type AuditSearch = z.infer<typeof auditSearch>;

export const actsQuery = (search: AuditSearch) => ({
  by: search.by,
  people: search.everybody ? undefined : true,
  type: search.type ? [search.type] : undefined,
  subject: search.subject,
});

export const actsOptions = (search: AuditSearch) => ({
  ...listActsInfiniteOptions({ query: { ...actsQuery(search), limit: 100 } }),
  initialPageParam: {}, // the client adds nothing; null it would read fields of
  getNextPageParam: ({ next }: { next: string | null }) => next,
});
