import { useEffect } from "react";
import { useNeedsYou } from "@/lib/use-needs-you";

/** The tab says how many questions are open, and where one is. */
export function useTitle(page: string): void {
  const open = useNeedsYou();
  useEffect(() => {
    document.title = `${open > 0 ? `(${open}) ` : ""}${page} – Hourbook`;
  }, [open, page]);
}
