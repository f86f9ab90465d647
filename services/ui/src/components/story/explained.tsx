import { Check, X } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { EntryStory } from "@/api";
import { Duration } from "@/components/format";
import { type Names, useNames } from "@/lib/names";
import { type Keyed, useSourceKey } from "@/lib/source-keys";
import type { Rule, Trace, Work } from "@/lib/story";
import { useUnitLength } from "@/lib/units";

/** Raw units → factor → net → rules → asked → held: how a minute came to be where it is. */
export function Explained({ story }: { story: EntryStory }) {
  const { t } = useTranslation();
  const names = useNames();
  const lengthOf = useUnitLength();
  const trace = story.trace as Trace | null;
  const rules = useMemo(
    () => (trace?.rules ?? []).map((rule) => ({ rule, keyed: keyedBy(rule, story.connection) })),
    [trace, story.connection],
  );
  const nameOf = useSourceKey(
    useMemo(() => rules.flatMap(({ keyed }) => (keyed ? [keyed] : [])), [rules]),
  );
  const want = story.want as Work | null;
  const taken = trace?.taken ?? [];
  return (
    <section aria-labelledby="explained">
      <h2 id="explained" className="pb-2 text-xs font-medium text-ink-muted">
        {t("explained.title")}
      </h2>
      <dl className="overflow-hidden rounded-lg border border-line">
        <Line name={t("explained.raw")}>
          {t("explained.units", {
            units: story.raw_units,
            each: lengthOf(story.seconds_per_unit),
          })}{" "}
          = <Duration seconds={story.duration_seconds} className="font-medium" />
        </Line>
        <Line name={t("explained.net")}>
          <Duration seconds={story.net_seconds} className="font-medium" />
          {taken.map(({ entry, seconds }) => (
            <span key={entry} className="pl-2 text-ink-muted">
              {t("explained.taken", { entry })} <Duration seconds={-seconds} />
            </span>
          ))}
        </Line>
        {rules.map(({ rule, keyed }) => (
          <Line
            key={`${rule.kind}-${rule.key}`}
            name={t(`mapping.kind.${keyed ? keyed.kind : "unknown"}`)}
          >
            <Fired fired={rule.mapping !== null} name={keyed ? nameOf(keyed) : rule.key} />
          </Line>
        ))}
        <Line name={t("explained.wanted")}>
          {want ? <WorkLine work={want} names={names} /> : t("explained.nothing")}
        </Line>
        <Line name={t("explained.held")}>
          {story.held ? (
            <WorkLine work={story.held as Work} names={names} />
          ) : (
            t("explained.nothing")
          )}
        </Line>
      </dl>
    </section>
  );
}

type Known = Keyed & { kind: "customer" | "activity" | "worker" };

/** As a mapping is named by; null for a kind of rule that this version does not know. */
const keyedBy = ({ kind, key }: Rule, source: string): Known | null =>
  kind === "customer" || kind === "activity" || kind === "worker"
    ? { kind, source, source_key: key }
    : null;

function Fired({ fired, name }: { fired: boolean; name: string }) {
  const { t } = useTranslation();
  return fired ? (
    <span>
      <Check className="mr-1 inline size-3.5 text-ok" aria-hidden />
      {t("explained.fired", { key: name })}
    </span>
  ) : (
    <span className="text-ink-muted">
      <X className="mr-1 inline size-3.5" aria-hidden />
      {t("explained.not_fired", { key: name })}
    </span>
  );
}

export function WorkLine({ work, names }: { work: Work; names: Names }) {
  const { t } = useTranslation();
  const { place } = work;
  return (
    <>
      <Duration seconds={work.duration_seconds} className="font-medium" />{" "}
      <span className="text-ink-muted">
        {place
          ? [
              names.inKimai(place.target, "user", place.user_id),
              names.inKimai(place.target, "project", place.project_id),
              names.inKimai(place.target, "activity", place.activity_id),
            ].join(" · ")
          : t("explained.no_place")}
      </span>
    </>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[8rem_minmax(0,1fr)] border-b border-line last:border-0">
      <dt className="px-3 py-2 text-xs font-medium text-ink-muted">{name}</dt>
      <dd className="px-3 py-2">{children}</dd>
    </div>
  );
}
