import * as z from "zod/mini";
import { listActsInfiniteOptions } from "@/api/@tanstack/react-query.gen";

const either = <Schema extends z.ZodMiniType>(schema: Schema) =>
  z.catch(z.optional(schema), undefined);

export const auditSearch = z.object({
  by: either(z.string()),
  /** Also what the clock and the services did. */
  everybody: either(z.boolean()),
  type: either(z.string()),
  subject: either(z.string()),
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
