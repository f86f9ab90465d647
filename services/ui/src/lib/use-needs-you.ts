import { useQuery } from "@tanstack/react-query";
import { readOverviewOptions } from "@/api/@tanstack/react-query.gen";

/** How many questions nobody has answered. */
export const useNeedsYou = (): number => useQuery(readOverviewOptions()).data?.needs_you.count ?? 0;
