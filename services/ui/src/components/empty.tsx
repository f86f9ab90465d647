import { CircleCheck, CircleHelp, SearchX, Sprout } from "lucide-react";
import type { ReactNode } from "react";

const icons = {
  /** There never was anything: says what to do first. */
  nothing_yet: { icon: Sprout, className: "text-ink-faint" },
  /** There was, and all of it is done. */
  all_done: { icon: CircleCheck, className: "text-ok" },
  /** There is, but not under this filter. */
  no_match: { icon: SearchX, className: "text-ink-faint" },
  /** We do not know: never say "none" then. */
  cannot_know: { icon: CircleHelp, className: "text-warn" },
};

/** Four kinds of nothing, which are not the same to a person. */
export function Empty({
  kind,
  title,
  children,
}: {
  kind: keyof typeof icons;
  title: ReactNode;
  children?: ReactNode;
}) {
  const { icon: Icon, className } = icons[kind];
  return (
    <div className="flex flex-col items-center gap-1 px-6 py-16 text-center">
      <Icon className={`mb-2 size-6 ${className}`} aria-hidden />
      <p className="font-medium">{title}</p>
      <div className="flex max-w-md flex-col items-center gap-3 text-ink-muted">{children}</div>
    </div>
  );
}
