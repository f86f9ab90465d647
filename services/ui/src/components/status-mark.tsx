import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  CircleX,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import type en from "@/locales/en.json";

type Status = keyof typeof en.state;

const looks = {
  settled: { icon: CircleCheck, className: "text-ok" },
  requested: { icon: CircleDashed, className: "text-wait" },
  asks: { icon: CircleAlert, className: "text-warn" },
  held_back: { icon: CirclePause, className: "text-ink-muted" },
  retracted: { icon: CircleX, className: "text-ink-muted" },
  unknown: { icon: CircleHelp, className: "text-ink-muted" },
} satisfies Record<Status, unknown>;

/** Where an entry stands; never by colour alone: an icon and a word. */
export function StatusMark({ state }: { state: string }) {
  const { t } = useTranslation();
  const known: Status = state in looks ? (state as Status) : "unknown";
  const { icon: Icon, className } = looks[known];
  return (
    <span className={cn("inline-flex min-w-0 items-center gap-1.5", className)}>
      <Icon className="size-3.5 shrink-0" aria-hidden />
      <span className="truncate">{known === "unknown" ? state : t(`state.${known}`)}</span>
    </span>
  );
}
