import { Check, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { EntryStory } from "@/api";
import { Duration } from "@/components/format";
import { decimalHours } from "@/lib/durations";
import { type Names, useNames } from "@/lib/names";
import type { Rule, Trace, Work } from "@/lib/story";

/** Raw units → factor → net → rules → asked → held: how a minute came to be where it is. */
export function Explained({ story }: { story: EntryStory }) {
  const { t, i18n } = useTranslation();
  const names = useNames();
  const trace = story.trace as Trace | null;
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
            each: decimalHours(story.seconds_per_unit, i18n.language),
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
        {trace?.rules?.map((rule) => (
          <Line key={`${rule.kind}-${rule.key}`} name={t(`mapping.kind.${kindOf(rule)}`)}>
            <Fired rule={rule} />
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

const kindOf = (rule: Rule) =>
  rule.kind === "customer" || rule.kind === "activity" || rule.kind === "worker"
    ? rule.kind
    : "unknown";

function Fired({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  return rule.mapping ? (
    <span>
      <Check className="mr-1 inline size-3.5 text-ok" aria-hidden />
      {t("explained.fired", { key: rule.key })}
    </span>
  ) : (
    <span className="text-ink-muted">
      <X className="mr-1 inline size-3.5" aria-hidden />
      {t("explained.not_fired", { key: rule.key })}
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
