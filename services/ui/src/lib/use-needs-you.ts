import { useQuery } from "@tanstack/react-query";
import { syncStatusOptions } from "@/api/@tanstack/react-query.gen";

/** How many questions are open. */
export function useNeedsYou(): number {
  const { data } = useQuery(syncStatusOptions());
  return Object.values(data?.open_conflicts ?? {}).reduce((sum, count) => sum + count, 0);
}
