import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ExternalLink } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { CandidateShown, Conflict } from "@/api";
import { readEntryOptions } from "@/api/@tanstack/react-query.gen";
import { Day, Moment } from "@/components/format";
import { SkeletonRows } from "@/components/skeleton";
import { WorkLine } from "@/components/story/explained";
import { StorySteps } from "@/components/story/story-steps";
import { Button, buttonLook } from "@/components/ui/button";
import { Keys } from "@/components/ui/kbd";
import { useLinks } from "@/lib/links";
import { useNames } from "@/lib/names";
import { type Choice, mappingFor, outcomeOf } from "@/lib/outcomes";
import { reasonKey } from "@/lib/reasons";
import type { Shortcut } from "@/lib/shortcuts";
import { Comparison } from "./comparison";

const keyOf: Record<Choice, Shortcut> = {
  zammad: "takeZammad",
  kimai: "keepKimai",
  adopt: "adopt",
  anyway: "anyway",
};

export function ConflictDetail({
  conflict,
  mayAnswer,
  onAnswer,
  onUndo,
}: {
  conflict: Conflict;
  mayAnswer: boolean;
  onAnswer: (choice: Choice, more?: { sheet?: string; comment?: string }) => void;
  onUndo: (resolution: string) => void;
}) {
  const { t } = useTranslation();
  const names = useNames(useMemo(() => [conflict], [conflict]));
  const links = useLinks();
  const [comment, setComment] = useState("");
  const ticketAt = links.ticket(conflict.book);
  const sheetAt = conflict.sheet && links.timesheet(conflict.sheet);
  const mapping = mappingFor(conflict);
  return (
    <article className="flex flex-col">
      <header className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
        <div className="min-w-0 flex-1 basis-60">
          <h2 className="truncate text-base font-semibold">
            {conflict.ticket_number && (
              <span className="mr-2 font-normal text-ink-muted tabular-nums">
                #{conflict.ticket_number}
              </span>
            )}
            {conflict.ticket_title ?? t("entries.no_title")}
          </h2>
          <p className="text-xs text-ink-muted">
            {t(`reason.${reasonKey(conflict.reason)}.title`)}
            {conflict.agent_id !== null && (
              <> · {names.worker(conflict.connection, conflict.agent_id)}</>
            )}
            {conflict.day && (
              <>
                {" "}
                · <Day on={conflict.day} />
              </>
            )}
          </p>
        </div>
        <Answers conflict={conflict} mayAnswer={mayAnswer} onUndo={onUndo}>
          {mapping && conflict.choices.length > 0 && (
            <Link to="/mappings" search={mapping} className={buttonLook({ kind: "primary" })}>
              {t("conflicts.map_now")} <Keys of="mapNow" />
            </Link>
          )}
          {[...conflict.choices].reverse().map((choice) => (
            <Button
              key={choice}
              kind={choice === conflict.choices[0] && !mapping ? "primary" : "plain"}
              onClick={() => onAnswer(choice, { comment })}
            >
              {t(`outcome.${outcomeOf(choice, conflict)}.label`)} <Keys of={keyOf[choice]} />
            </Button>
          ))}
        </Answers>
      </header>
      <div className="flex flex-col gap-5 p-4 md:p-6">
        <div className="max-w-3xl">
          <p>{t(`reason.${reasonKey(conflict.reason)}.sentence`)}</p>
          {conflict.detail && <p className="pt-1 text-bad">{conflict.detail}</p>}
          {conflict.locked && <p className="pt-1 text-warn">{t("conflicts.locked")}</p>}
        </div>
        <Comparison conflict={conflict} />
        {conflict.candidates.length > 0 && (
          <Candidates
            candidates={conflict.candidates}
            mayAdopt={mayAnswer && conflict.choices.includes("adopt")}
            onAdopt={(sheet) => onAnswer("adopt", { sheet, comment })}
          />
        )}
        {mayAnswer && conflict.choices.length > 0 && (
          <details className="max-w-3xl">
            <summary className="cursor-default text-xs text-ink-muted">
              {t("conflicts.comment")}
            </summary>
            <textarea
              aria-label={t("conflicts.comment")}
              maxLength={2000}
              rows={2}
              value={comment}
              onChange={({ target }) => setComment(target.value)}
              className="mt-1 w-full rounded-md border border-line-strong bg-surface px-2.5 py-1.5 text-sm"
            />
          </details>
        )}
        <section aria-labelledby="happened">
          <div className="flex flex-wrap items-center gap-2 pb-3">
            <h3 id="happened" className="flex-1 basis-60 text-xs font-medium text-ink-muted">
              {t("conflicts.happened")} · {t("conflicts.asked")}{" "}
              <Moment at={conflict.opened_at} ago />
            </h3>
            {conflict.entry && (
              <Link
                to="/entries/$entry"
                params={{ entry: conflict.entry }}
                className={buttonLook({ kind: "quiet", size: "sm" })}
              >
                {t("story.whole")}
              </Link>
            )}
            {ticketAt && <Away href={ticketAt} text={t("story.in_zammad")} />}
            {sheetAt && <Away href={sheetAt} text={t("story.in_kimai")} />}
          </div>
          {conflict.entry && <Happened entry={conflict.entry} />}
        </section>
      </div>
    </article>
  );
}

function Away({ href, text }: { href: string; text: string }) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      className={buttonLook({ kind: "quiet", size: "sm" })}
    >
      {text} <ExternalLink aria-hidden />
    </a>
  );
}

/** The buttons, or what became of the one that was pressed. */
function Answers({
  conflict,
  mayAnswer,
  onUndo,
  children,
}: {
  conflict: Conflict;
  mayAnswer: boolean;
  onUndo: (resolution: string) => void;
  children: React.ReactNode;
}) {
  const { t } = useTranslation();
  if (!conflict.open) {
    return (
      <p className="text-ok">
        {t("conflicts.done")}
        {conflict.resolved_by_name && ` · ${conflict.resolved_by_name}`}
      </p>
    );
  }
  if (conflict.on_its_way) {
    const { state, by_name, resolution_id } = conflict.on_its_way;
    return (
      <p role="status" className="flex items-center gap-2 text-wait">
        {t(`conflicts.on_its_way.${state}`)}
        {by_name && <span className="text-ink-muted">{by_name}</span>}
        {state === "held" && mayAnswer && (
          <Button onClick={() => onUndo(resolution_id)}>
            {t("do.undo")} <Keys of="undo" />
          </Button>
        )}
      </p>
    );
  }
  if (!mayAnswer) return <p className="text-xs text-ink-muted">{t("conflicts.may_not")}</p>;
  return <div className="flex flex-wrap gap-2">{children}</div>;
}

function Candidates({
  candidates,
  mayAdopt,
  onAdopt,
}: {
  candidates: CandidateShown[];
  mayAdopt: boolean;
  onAdopt: (sheet: string) => void;
}) {
  const { t } = useTranslation();
  const names = useNames();
  const links = useLinks();
  return (
    <section aria-labelledby="candidates" className="max-w-3xl">
      <h3 id="candidates" className="pb-2 text-xs font-medium text-ink-muted">
        {t("conflicts.candidates")}
      </h3>
      <ul className="rounded-lg border border-line">
        {candidates.map(({ sheet, work, evidence }) => (
          <li
            key={sheet}
            className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2 last:border-0"
          >
            <div className="min-w-0 flex-1 basis-60">
              <p>
                <a
                  href={links.timesheet(sheet) ?? undefined}
                  target="_blank"
                  rel="noreferrer"
                  className="mr-2 text-ink-muted tabular-nums underline"
                >
                  #{sheet.split(":")[2]}
                </a>
                <WorkLine work={work} names={names} />
              </p>
              <p className="text-xs text-ink-muted">
                <Moment at={work.began_at} />
                {evidence.length > 0 && (
                  <>
                    {" "}
                    · {t("conflicts.same")}{" "}
                    {evidence
                      .map((what) => t(`evidence.${what}` as never, { defaultValue: what }))
                      .join(", ")}
                  </>
                )}
              </p>
            </div>
            {mayAdopt && (
              <Button size="sm" onClick={() => onAdopt(sheet)}>
                {t("outcome.adopt.label")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Happened({ entry }: { entry: string }) {
  const { data } = useQuery(readEntryOptions({ path: { entry } }));
  return data ? <StorySteps story={data} folded={false} /> : <SkeletonRows rows={3} />;
}
