import type { TFunction } from "i18next";
import { Bot, Clock4, Ticket, UserRound } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { EntryStory } from "@/api";
import { Moment } from "@/components/format";
import { cn } from "@/lib/cn";
import { clockText } from "@/lib/durations";
import { type Names, useNames } from "@/lib/names";
import { reasonKey, refusalKey } from "@/lib/reasons";
import { type Actor, type Told, tell } from "@/lib/story";

const looks: Record<Actor, { icon: typeof Bot; className: string }> = {
  zammad: { icon: Ticket, className: "text-zammad" },
  kimai: { icon: Clock4, className: "text-kimai" },
  hourbook: { icon: Bot, className: "text-ink-muted" },
  person: { icon: UserRound, className: "text-accent" },
};

/** Everything the ledger says about an entry, in plain words and its own order. */
export function StorySteps({ story, folded = true }: { story: EntryStory; folded?: boolean }) {
  const { t } = useTranslation();
  const names = useNames(useMemo(() => [story], [story]));
  const zone = names.zoneOf(story.connection, story.agent_id);
  return (
    <ol aria-label={t("story.title")} className="ml-2 border-l border-line">
      {tell(story.story).map((told) => {
        const { icon: Icon, className } = looks[told.actor];
        return (
          <li
            key={`${told.step.partition}-${told.step.offset}`}
            className="relative pb-3 pl-6 last:pb-0"
          >
            <span className="absolute top-0 -left-3 grid size-6 place-items-center rounded-full bg-surface">
              <Icon className={cn("size-3.5", className)} aria-hidden />
            </span>
            <div className="flex flex-wrap items-baseline gap-x-3">
              <p className="min-w-0 flex-1">
                <span className="sr-only">{t(`actor.${told.actor}`)}: </span>
                {sentenceOf(t, told, story, names)}
              </p>
              <span className="text-xs text-ink-muted">
                <Moment at={told.step.at} zone={zone} />
              </span>
            </div>
            {told.message.detail && <p className="text-xs text-bad">{told.message.detail}</p>}
            {told.message.comment && (
              <blockquote className="border-l-2 border-line pl-2 text-ink-muted">
                {told.message.comment}
              </blockquote>
            )}
            {folded && <Folded told={told} />}
          </li>
        );
      })}
    </ol>
  );
}

/** What happened, in one sentence. */
export function sentenceOf(t: TFunction, told: Told, story: EntryStory, names: Names): string {
  const { message, kind } = told;
  const time = told.seconds === null ? "" : clockText(told.seconds);
  switch (kind) {
    case "entry_recorded":
      return t("step.entry_recorded", {
        worker: names.worker(story.connection, message.agent_id ?? story.agent_id),
        time,
      });
    case "push_refused":
      return t("step.push_refused", { why: t(`refusal.${refusalKey(message.why)}`) });
    case "conflict_opened":
      return t("step.conflict_opened", { why: t(`reason.${reasonKey(message.reason)}.title`) });
    case "conflict_resolved":
      return t("step.conflict_resolved", {
        by: told.step.by_name ?? message.by ?? "",
        choice: t(`choice.${choiceKey(message.choice)}.done`),
      });
    case "unknown":
      return t("step.unknown", { type: told.step.type });
    default:
      return t(`step.${kind}`, { time });
  }
}

const choiceKey = (choice: string | undefined) =>
  choice === "zammad" || choice === "kimai" || choice === "adopt" || choice === "anyway"
    ? choice
    : "unknown";

function Folded({ told }: { told: Told }) {
  const { t } = useTranslation();
  return (
    <details className="text-xs">
      <summary className="inline-block cursor-default rounded-sm text-ink-faint hover:text-ink">
        {t("story.what_exactly")}
      </summary>
      <p className="pt-1 text-ink-muted">
        {t("story.place", { partition: told.step.partition, offset: told.step.offset })}
      </p>
      <pre className="mt-1 overflow-x-auto rounded-md bg-canvas p-2">
        {JSON.stringify(told.step.message, null, 2)}
      </pre>
    </details>
  );
}
