import { RefreshCw, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  answerAlarm,
  type KimaiConnector,
  releaseWrites,
  removeConnector,
  type SourceConnector,
  type SourceStatus,
  type SyncStatus,
  syncNow,
  type TargetStatus,
  type ZammadConnector,
} from "@/api";
import { ConnectionForm } from "@/components/connection/connection-form";
import { ConnectionTest } from "@/components/connection/connection-test";
import { UnitQuestion } from "@/components/connection/unit-question";
import { WritingSwitch } from "@/components/connection/writing-switch";
import { Moment } from "@/components/format";
import { RemovalDialog } from "@/components/removal";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useAct } from "@/lib/act";
import { useMay } from "@/lib/session";
import { ClosedPeriods } from "./closed-periods";

export type ShownConnector = KimaiConnector | SourceConnector | ZammadConnector;

/** As people call it: a folder of CSV files is a source that this page can connect. */
export const kindOf = (one: ShownConnector) =>
  one.kind === "source" && one.connector === "csv" ? "csv" : one.kind;

export function ConnectionDetail({
  connector,
  status,
}: {
  connector: ShownConnector;
  status?: SyncStatus;
}) {
  const { t } = useTranslation();
  const isAdmin = useMay("admin");
  const [editing, setEditing] = useState(false);
  const side = [...(status?.sources ?? []), ...(status?.targets ?? [])].find(
    ({ name }) => name === connector.name,
  );
  return (
    <article>
      <header className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
        <h2 className="min-w-0 flex-1 truncate text-base font-semibold">
          {connector.name} <Address of={connector.base_url} />
        </h2>
        <LookNow name={connector.name} />
        {isAdmin && <Button onClick={() => setEditing(true)}>{t("connection.edit")}</Button>}
      </header>
      {side && <Obstacles side={side} />}
      <Alarms connector={connector} />
      <div className="grid gap-8 p-4 md:p-6">
        {side && (
          <Part title={t("connection.state")}>
            <Standing side={side} />
          </Part>
        )}
        {isAdmin && connector.kind !== "source" && (
          <Part title={t("connection.test_title")}>
            <ConnectionTest name={connector.name} />
          </Part>
        )}
        {isAdmin && connector.kind !== "kimai" && (
          <Part title={t("unit.title")}>
            <UnitQuestion connector={connector} />
          </Part>
        )}
        {isAdmin && connector.kind === "kimai" && (
          <>
            <Part title={t("writing.title")}>
              <WritingSwitch connector={connector} />
            </Part>
            <Part title={t("closed.title")}>
              <ClosedPeriods connector={connector} />
            </Part>
          </>
        )}
        {isAdmin && <Removal name={connector.name} />}
      </div>
      <Dialog edge open={editing} onOpen={setEditing} title={t("connection.edit")}>
        <ConnectionForm
          kind={connector.kind}
          existing={connector}
          onDone={() => setEditing(false)}
        />
      </Dialog>
    </article>
  );
}

/** No browser leads into a folder of another machine. */
function Address({ of }: { of: string }) {
  if (!/^https?:/.test(of)) return <span className="font-normal text-ink-muted">{of}</span>;
  return (
    <a
      href={of}
      target="_blank"
      rel="noreferrer"
      className="font-normal text-ink-muted hover:underline"
    >
      {of}
    </a>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="max-w-2xl">
      <h3 className="pb-2 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function LookNow({ name }: { name: string }) {
  const { t } = useTranslation();
  const may = useMay("operator");
  const { act, isPending } = useAct(
    (what: "poll" | "sweep", key) =>
      syncNow({
        body: { connections: [name], what },
        headers: { "Idempotency-Key": key },
        throwOnError: true,
      }),
    { done: t("connection.looking") },
  );
  if (!may) return null;
  return (
    <Button disabled={isPending} onClick={() => void act("poll")}>
      <RefreshCw aria-hidden /> {t("connection.look_now")}
    </Button>
  );
}

/** What stands in the way, since when. */
function Obstacles({ side }: { side: SourceStatus | TargetStatus }) {
  const { t } = useTranslation();
  if (side.obstacles.length === 0) return null;
  return (
    <ul
      aria-label={t("connection.obstacles")}
      className="flex flex-col gap-1 border-b border-line bg-warn-soft px-4 py-3 md:px-6"
    >
      {side.obstacles.map((obstacle) => {
        const told = typeof obstacle === "string" ? { sentence: obstacle, since: null } : obstacle;
        return (
          <li key={told.sentence} className="flex items-start gap-2">
            <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden />
            <span>
              {told.sentence}{" "}
              {told.since && (
                <span className="text-xs text-ink-muted">
                  {t("connection.since")} <Moment at={told.since} ago />
                </span>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** A side that was suddenly almost empty: nothing is believed until a person says so. */
function Alarms({ connector }: { connector: ShownConnector }) {
  const { t } = useTranslation();
  const may = useMay("admin");
  const { act, isPending } = useAct((said: { alarm: string; choice: "believe" | "wait" }, key) =>
    answerAlarm({
      path: { name: connector.name },
      body: said,
      headers: { "Idempotency-Key": key },
      throwOnError: true,
    }),
  );
  return connector.alarms.map(({ alarm, since, missing, known }) => (
    <section
      key={alarm}
      role="alert"
      className="flex flex-wrap items-center gap-2 border-b border-line bg-bad-soft px-4 py-3 md:px-6"
    >
      <p className="min-w-60 flex-1">
        {t("connection.alarm", { missing, known })} <Moment at={since} ago />
      </p>
      {may && (
        <>
          <Button disabled={isPending} onClick={() => void act({ alarm, choice: "wait" })}>
            {t("connection.alarm_wait")}
          </Button>
          <Button
            kind="danger"
            disabled={isPending}
            onClick={() => void act({ alarm, choice: "believe" })}
          >
            {t("connection.alarm_believe", { count: missing })}
          </Button>
        </>
      )}
    </section>
  ));
}

function Standing({ side }: { side: SourceStatus | TargetStatus }) {
  const { t } = useTranslation();
  const may = useMay("admin");
  const { act, isPending } = useAct(
    (name: string, key) =>
      releaseWrites({ path: { name }, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("connection.released") },
  );
  const moment = (at: string | null) => (at ? <Moment at={at} style="long" ago /> : t("never"));
  const facts: [string, ReactNode][] = [
    [t("connection.polled"), moment(side.polled_at)],
    [t("connection.swept"), moment(side.swept_at)],
  ];
  if (side.kind !== "kimai") {
    if (side.kind === "source") {
      facts.push([t("unit.title"), t(side.unit_confirmed ? "unit.confirmed" : "unit.unconfirmed")]);
    } else facts.push([t("connection.delivered"), moment(side.last_delivery_at)]);
  } else {
    const waiting = Object.values(side.writes).reduce((sum, count) => sum + count, 0);
    facts.push([t("connection.waiting"), t("count.writes", { count: waiting })]);
    if (side.waiting_since) facts.push([t("connection.oldest"), moment(side.waiting_since)]);
  }
  const capped =
    side.kind === "kimai" && side.obstacles.some(({ name }) => name === "too_many_changes");
  return (
    <>
      <dl className="overflow-hidden rounded-lg border border-line">
        {facts.map(([name, value]) => (
          <div
            key={name}
            className="grid grid-cols-[11rem_minmax(0,1fr)] border-b border-line last:border-0"
          >
            <dt className="px-3 py-2 text-xs font-medium text-ink-muted">{name}</dt>
            <dd className="px-3 py-2">{value}</dd>
          </div>
        ))}
      </dl>
      {capped && may && (
        <Button className="mt-3" disabled={isPending} onClick={() => void act(side.name)}>
          {t("connection.release")}
        </Button>
      )}
    </>
  );
}

/** Books stay: only the reading and writing end. Asked for with the name, because it is not undone by a toast. */
function Removal({ name }: { name: string }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { act, isPending } = useAct(
    (_: null, key) =>
      removeConnector({ path: { name }, headers: { "Idempotency-Key": key }, throwOnError: true }),
    { done: t("connection.removed") },
  );
  return (
    <section className="max-w-2xl">
      <h3 className="pb-2 font-semibold">{t("connection.remove_title")}</h3>
      <p className="pb-3 text-ink-muted">{t("connection.remove_why")}</p>
      <Button kind="danger" onClick={() => setOpen(true)}>
        {t("connection.remove")}
      </Button>
      <RemovalDialog
        open={open}
        onOpen={setOpen}
        title={t("connection.remove_question", { name })}
        why={t("connection.remove_why")}
        label={t("connection.remove")}
        remove={() => act(null)}
        isPending={isPending}
      />
    </section>
  );
}
