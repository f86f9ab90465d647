import * as z from "zod/mini";
import {
  listDeliveriesInInfiniteOptions,
  listDeliveriesOutInfiniteOptions,
} from "@/api/@tanstack/react-query.gen";
import { either, words } from "@/lib/search";

export const outStates = ["queued", "sent", "uncertain", "done"] as const;
export const outcomes = ["written", "refused"] as const;

export const deliveriesSearch = z.object({
  side: either(z.enum(["in", "out"])),
  state: either(z.enum(outStates)),
  outcome: either(z.enum(outcomes)),
  book: words(),
});
export type DeliveriesSearch = z.infer<typeof deliveriesSearch>;

const paged = {
  initialPageParam: {}, // the client adds nothing; null it would read fields of
  getNextPageParam: ({ next }: { next: string | null }) => next,
};

export const inOptions = ({ book }: DeliveriesSearch) => ({
  ...listDeliveriesInInfiniteOptions({ query: { book, limit: 100 } }),
  ...paged,
});

export const outOptions = ({ book, state, outcome }: DeliveriesSearch) => ({
  ...listDeliveriesOutInfiniteOptions({
    query: { book, state: state && [state], outcome, limit: 100 },
  }),
  ...paged,
});
