import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Copy, Download, ExternalLink } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { EntryStory } from "@/api";
import { readEntryOptions } from "@/api/@tanstack/react-query.gen";
import { Duration, Moment } from "@/components/format";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { StatusMark } from "@/components/status-mark";
import { Explained } from "@/components/story/explained";
import { StorySteps } from "@/components/story/story-steps";
import { Button, buttonLook } from "@/components/ui/button";
import { Tabs } from "@/components/ui/tabs";
import { useLinks } from "@/lib/links";
import { useNames } from "@/lib/names";
import { lanes, tell } from "@/lib/story";
import { TimeSlider } from "./time-slider";

const route = getRouteApi("/inside/entries/$entry");

export function StoryPage() {
  const { t } = useTranslation();
  const { entry } = route.useParams();
  const { tab, step } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(readEntryOptions({ path: { entry } }));
  return (
    <>
      <PageHead
        title={data ? `#${data.ticket_number} ${data.ticket_title ?? ""}`.trim() : entry}
        count={data && <StatusMark state={data.state} />}
      >
        {data && <Links story={data} />}
      </PageHead>
      {error && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {data && (
        <>
          <Facts story={data} />
          <Tabs
            label={t("story.title")}
            value={tab ?? "story"}
            onChange={(next) =>
              void navigate({
                search: { tab: next === "story" ? undefined : (next as "timeline" | "raw") },
                replace: true,
              })
            }
            tabs={[
              {
                value: "story",
                label: t("story.tab_story"),
                panel: (
                  <div className="grid gap-6 p-4 md:p-6 xl:grid-cols-[minmax(0,1fr)_26rem]">
                    <StorySteps story={data} />
                    <Explained story={data} />
                  </div>
                ),
              },
              {
                value: "timeline",
                label: t("story.tab_timeline"),
                panel: (
                  <div className="flex flex-col gap-6 p-4 md:p-6">
                    <TimeSlider
                      story={data}
                      step={step}
                      onStep={(next) =>
                        void navigate({ search: (was) => ({ ...was, step: next }), replace: true })
                      }
                    />
                    <Timeline story={data} />
                  </div>
                ),
              },
              { value: "raw", label: t("story.tab_raw"), panel: <Raw story={data} /> },
            ]}
          />
        </>
      )}
    </>
  );
}

function Links({ story }: { story: EntryStory }) {
  const { t } = useTranslation();
  const links = useLinks();
  const away = [
    { href: links.ticket(story.book), text: t("story.in_zammad") },
    { href: story.sheet && links.timesheet(story.sheet), text: t("story.in_kimai") },
  ];
  return away.map(
    ({ href, text }) =>
      href && (
        <a key={text} href={href} target="_blank" rel="noreferrer" className={buttonLook()}>
          {text} <ExternalLink aria-hidden />
        </a>
      ),
  );
}

function Facts({ story }: { story: EntryStory }) {
  const { t } = useTranslation();
  const names = useNames(useMemo(() => [story], [story]));
  const zone = names.zoneOf(story.connection, story.agent_id);
  const facts = [
    [t("entries.worker"), names.worker(story.connection, story.agent_id)],
    [t("story.booked"), <Moment key="at" at={story.created_at} zone={zone} style="long" ago />],
    ["Zammad", <Duration key="z" seconds={story.duration_seconds} />],
    ["Kimai", story.held ? <Duration key="k" seconds={story.held.duration_seconds} /> : "–"],
    [
      t("story.id"),
      <span key="id" className="inline-flex items-center gap-1">
        <code className="text-xs">{story.entry}</code>
        <Button
          kind="quiet"
          size="icon"
          className="size-6"
          aria-label={t("story.copy_id")}
          onClick={() => void navigator.clipboard.writeText(story.entry)}
        >
          <Copy aria-hidden />
        </Button>
      </span>,
    ],
  ] as const;
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2 border-b border-line px-4 py-3 md:px-6">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-ink-muted">{name}</dt>
          <dd className="flex min-h-6 items-center">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Where both sides stood, whenever one of them moved. */
function Timeline({ story }: { story: EntryStory }) {
  const { t } = useTranslation();
  const names = useNames();
  const zone = names.zoneOf(story.connection, story.agent_id);
  const rows = lanes(tell(story.story), story.entry);
  return (
    <div className="max-w-3xl overflow-x-auto rounded-lg border border-line">
      <table className="w-full">
        <caption className="sr-only">{t("story.timeline_caption")}</caption>
        <thead>
          <tr className="border-b border-line bg-canvas text-xs text-ink-muted">
            <th scope="col" className="px-3 py-1.5 text-left font-medium">
              {t("story.when")}
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium text-zammad">
              Zammad
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium text-kimai">
              Kimai
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium">
              {t("story.difference")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, zammad, kimai, told }) => {
            const apart = (zammad ?? 0) - (kimai ?? 0);
            return (
              <tr
                key={`${told.step.partition}-${told.step.offset}`}
                className="border-b border-line last:border-0"
              >
                <th scope="row" className="px-3 py-2 text-left font-normal">
                  <Moment at={at} zone={zone} style="long" />
                </th>
                <td className="px-3 py-2 text-right">
                  {zammad === null ? "–" : <Duration seconds={zammad} />}
                </td>
                <td className="px-3 py-2 text-right">
                  {kimai === null ? "–" : <Duration seconds={kimai} />}
                </td>
                <td
                  className={
                    apart === 0
                      ? "px-3 py-2 text-right text-ink-faint"
                      : "bg-warn-soft px-3 py-2 text-right"
                  }
                >
                  {apart === 0 ? t("story.none") : <Duration seconds={apart} />}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Raw({ story }: { story: EntryStory }) {
  const { t } = useTranslation();
  const text = JSON.stringify(story, null, 2);
  function download() {
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${story.entry.replaceAll(":", "-")}.json`;
    link.click();
    URL.revokeObjectURL(address);
  }
  return (
    <div className="flex flex-col gap-3 p-4 md:p-6">
      <div className="flex gap-2">
        <Button onClick={download}>
          <Download aria-hidden /> {t("story.download")}
        </Button>
        <Button onClick={() => void navigator.clipboard.writeText(text)}>
          <Copy aria-hidden /> {t("do.copy")}
        </Button>
        <Link
          to="/entries"
          search={{ ticket: story.ticket_number }}
          className={buttonLook({ kind: "quiet" })}
        >
          {t("story.same_ticket")}
        </Link>
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="relative overflow-x-auto rounded-lg border border-line bg-canvas p-3 text-xs"
      >
        {text}
      </pre>
    </div>
  );
}
