import { useMutation } from "@tanstack/react-query";
import { ask } from "@/lib/session";

type Value = string | number | boolean | null | undefined | readonly (string | number)[];

/** All rows that these filters find, as a file of this browser; the token is in no address. */
export function useCsv(list: "entries" | "conflicts" | "audit", filters: Record<string, Value>) {
  const { mutate, isPending } = useMutation({
    mutationFn: async () => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(filters)) {
        for (const one of Array.isArray(value) ? value : [value]) {
          if (one !== undefined && one !== null) query.append(name, String(one));
        }
      }
      const answer = await ask(`/api/${list}.csv?${query}`);
      if (!answer.ok) throw await answer.json();
      const address = URL.createObjectURL(await answer.blob());
      const link = document.createElement("a");
      link.href = address;
      link.download = `hourbook-${list}-${new Date().toISOString().slice(0, 10)}.csv`;
      link.click();
      URL.revokeObjectURL(address);
    },
  });
  return { save: () => mutate(), isPending };
}
