import { useTranslation } from "react-i18next";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { clockText, decimalHours, isoDuration } from "@/lib/durations";
import { agoText, dayText, type MomentStyle, momentText, ownZone, utcText } from "@/lib/moments";
import { usePreference } from "@/lib/preferences";

/** The only way to show a length of time: `0:15`, decimal hours on hover. */
export function Duration({ seconds, className }: { seconds: number; className?: string }) {
  const { t, i18n } = useTranslation();
  return (
    <time
      dateTime={isoDuration(seconds)}
      title={t("time.hours", { hours: decimalHours(seconds, i18n.language) })}
      className={cn("tabular-nums", className)}
    >
      {clockText(seconds)}
    </time>
  );
}

/** Whose clock a moment is read on: the worker's, this browser's, or one that a person picked. */
export function useZone(worker?: string | null): string {
  const wanted = usePreference("zone");
  if (wanted === "worker") return worker ?? ownZone();
  return wanted === "own" ? ownZone() : wanted;
}

/** The only way to show a moment; in the worker's zone where it is about one, UTC on hover. */
export function Moment({
  at,
  zone,
  style = "short",
  ago = false,
  className,
}: {
  at: string;
  /** Of the worker it is about. */
  zone?: string | null;
  style?: MomentStyle;
  /** Says "2 minutes ago" beside it. */
  ago?: boolean;
  className?: string;
}) {
  const { i18n } = useTranslation();
  const read = useZone(zone);
  const text = momentText(at, { zone: read, language: i18n.language, style });
  return (
    <time
      dateTime={at}
      title={`${utcText(at)} · ${read}`}
      className={cn("tabular-nums", className)}
    >
      {text}
      {ago && <Ago at={at} />}
    </time>
  );
}

function Ago({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const now = useNow();
  return <span className="text-ink-muted"> · {agoText(at, now, i18n.language)}</span>;
}

export function Day({ on, className }: { on: string; className?: string }) {
  const { i18n } = useTranslation();
  return (
    <time dateTime={on} className={cn("tabular-nums", className)}>
      {dayText(on, i18n.language)}
    </time>
  );
}
