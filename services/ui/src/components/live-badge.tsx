import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { useLive, useLiveness } from "@/lib/live";

const dots = {
  live: "bg-ok",
  reconnecting: "bg-warn",
  polling: "bg-wait",
  paused: "bg-line-strong",
  offline: "bg-bad",
};

export function LiveBadge() {
  const { t } = useTranslation();
  useLive();
  const liveness = useLiveness();
  return (
    <p role="status" className="flex items-center gap-2 px-2 py-1 text-xs text-ink-muted">
      <span aria-hidden className={cn("size-1.5 shrink-0 rounded-full", dots[liveness])} />
      <span className="max-md:sr-only">{t(`live.${liveness}`)}</span>
    </p>
  );
}
