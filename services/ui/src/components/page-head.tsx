import type { ReactNode } from "react";
import { useTitle } from "@/lib/use-title";

/** Name of the page, how much there is, what can be done: the same height everywhere. */
export function PageHead({
  title,
  count,
  children,
}: {
  title: string;
  count?: ReactNode;
  children?: ReactNode;
}) {
  useTitle(title);
  return (
    <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2 md:px-6">
      <h1 className="text-lg font-semibold">{title}</h1>
      {count !== undefined && (
        <p aria-live="polite" className="text-ink-muted tabular-nums">
          {count}
        </p>
      )}
      <div className="ml-auto flex flex-wrap items-center gap-2">{children}</div>
    </header>
  );
}
