import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { EntryStory } from "@/api";
import { Duration, Moment, useZone } from "@/components/format";
import { StatusMark } from "@/components/status-mark";
import { sentenceOf } from "@/components/story/story-steps";
import { momentText } from "@/lib/moments";
import { useNames } from "@/lib/names";
import { standings, tell } from "@/lib/story";

/** How the entry stood right after any of its events; the browser's own slider, so that every key and reader fits. */
export function TimeSlider({
  story,
  step,
  onStep,
}: {
  story: EntryStory;
  /** The event, from 1; the last where nobody chose. */
  step: number | undefined;
  onStep: (step: number | undefined) => void;
}) {
  const { t, i18n } = useTranslation();
  const names = useNames(useMemo(() => [story], [story]));
  const zone = names.zoneOf(story.connection, story.agent_id);
  const read = useZone(zone);
  const stood = useMemo(() => standings(tell(story.story), story.entry), [story]);
  const last = stood.length;
  const at = Math.min(Math.max(step ?? last, 1), last);
  const now = stood[at - 1];
  if (!now) return null;
  const when = momentText(now.told.step.at, { zone: read, language: i18n.language, style: "long" });
  const sentence = sentenceOf(t, now.told, story, names);
  const side = (seconds: number | null) =>
    seconds === null ? "–" : <Duration seconds={seconds} />;
  return (
    <section aria-labelledby="as-of" className="max-w-3xl rounded-lg border border-line p-4">
      <h2 id="as-of" className="flex flex-wrap items-baseline gap-x-3 font-semibold">
        {t("story.as_of")}
        <span className="font-normal text-ink-muted">
          <Moment at={now.told.step.at} zone={zone} style="long" /> ·{" "}
          {t("story.event_of", { at, last })}
        </span>
      </h2>
      <input
        type="range"
        min={1}
        max={last}
        value={at}
        aria-labelledby="as-of"
        aria-valuetext={`${when}: ${sentence}`}
        onChange={({ target }) => {
          const chosen = Number(target.value);
          onStep(chosen === last ? undefined : chosen);
        }}
        className="my-3 w-full accent-accent"
      />
      <p className="min-h-10">{sentence}</p>
      <dl className="grid grid-cols-3 gap-2 border-t border-line pt-3">
        {(
          [
            ["Zammad", side(now.zammad)],
            ["Kimai", side(now.kimai)],
            [t("entries.state"), <StatusMark key="state" state={now.state} />],
          ] as const
        ).map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-xs text-ink-muted">{name}</dt>
            <dd className="min-h-6">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
