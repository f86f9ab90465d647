import type { RowData } from "@tanstack/react-table";
import type { ComponentProps } from "react";
import { DataTable } from "@/components/data-table";
import { ProblemPanel } from "@/components/problem-panel";

/** What an endless list of the API has told so far. */
type Found = {
  error: unknown;
  data?: unknown;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
};

/** A table over an endless list: its problem while nothing is there, and more as one scrolls. */
export function FoundTable<Row extends RowData>({
  found,
  ...table
}: { found: Found } & Omit<ComponentProps<typeof DataTable<Row>>, "more">) {
  if (found.error && !found.data) return <ProblemPanel error={found.error} retry={found.refetch} />;
  return (
    <DataTable
      {...table}
      more={{
        there: found.hasNextPage,
        loading: found.isFetchingNextPage,
        load: found.fetchNextPage,
      }}
    />
  );
}
