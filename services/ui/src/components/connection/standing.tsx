import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CirclePause,
  Clock,
  Hourglass,
  RefreshCw,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ConnectionStanding } from "@/api";
import { Moment } from "@/components/format";
import { cn } from "@/lib/cn";
import { clockText } from "@/lib/durations";

const looks = {
  on_time: { icon: CircleCheck, className: "text-ok" },
  syncing: { icon: RefreshCw, className: "text-wait" },
  queued: { icon: Hourglass, className: "text-wait" },
  on_track: { icon: Clock, className: "text-wait" },
  late: { icon: Clock, className: "text-warn" },
  action_required: { icon: CircleAlert, className: "text-bad" },
  never_ran: { icon: CircleDashed, className: "text-ink-muted" },
  off: { icon: CirclePause, className: "text-ink-muted" },
} satisfies Record<ConnectionStanding["word"], unknown>;

function StandingWord({ word }: { word: ConnectionStanding["word"] }) {
  const { t } = useTranslation();
  const { icon: Icon, className } = looks[word];
  return (
    <span className={cn("inline-flex items-center gap-1.5 font-medium", className)}>
      <Icon className="size-3.5 shrink-0" aria-hidden /> {t(`standing.${word}.word`)}
    </span>
  );
}

/** How one connection stands: a word, a sentence, and how far it is behind. */
export function Standing({ connection }: { connection: ConnectionStanding }) {
  const { t } = useTranslation();
  const { name, kind, word, behind_seconds: behind, backlog } = connection;
  const far =
    behind !== null && behind >= 120
      ? clockText(Math.round(behind / 60) * 60)
      : t("time.seconds", { count: Math.round(behind ?? 0) });
  return (
    <>
      <span className="flex items-baseline gap-2">
        <span className="font-semibold">{name}</span>
        <span className="flex-1 text-xs text-ink-muted">{t(`connection.kind.${kind}`)}</span>
        <StandingWord word={word} />
      </span>
      <span className="block pt-2">{t(`standing.${word}.sentence`)}</span>
      <span className="block pt-1 text-xs text-ink-muted tabular-nums">
        {behind !== null && t("standing.behind", { time: far })}
        {backlog > 0 && <> · {t("standing.backlog", { count: backlog })}</>}
        {connection.swept_at && (
          <>
            {" "}
            · {t("connection.swept")} <Moment at={connection.swept_at} />
          </>
        )}
      </span>
    </>
  );
}
