import { useMutation } from "@tanstack/react-query";
import { download } from "@/lib/download";

type Value = string | number | boolean | null | undefined | readonly (string | number)[];

/** All rows that these filters find, as a file. */
export function useCsv(list: "entries" | "conflicts" | "audit", filters: Record<string, Value>) {
  const { mutate, isPending } = useMutation({
    mutationFn: async () => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(filters)) {
        for (const one of Array.isArray(value) ? value : [value]) {
          if (one !== undefined && one !== null) query.append(name, String(one));
        }
      }
      const day = new Date().toISOString().slice(0, 10);
      await download(`/api/${list}.csv?${query}`, `hourbook-${list}-${day}.csv`);
    },
  });
  return { save: () => mutate(), isPending };
}
