import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  changeConnector,
  type KimaiConnector,
  makeConnector,
  type SourceConnector,
  type ZammadConnector,
} from "@/api";
import { ProblemPanel } from "@/components/problem-panel";
import { Button } from "@/components/ui/button";
import { Switch, TextField } from "@/components/ui/field";
import { useAct } from "@/lib/act";
import { wrongWith } from "@/lib/problems";

type AnyConnector = ZammadConnector | KimaiConnector | SourceConnector;
type Kind = AnyConnector["kind"];

const numbers = {
  zammad: ["poll_seconds", "sweep_seconds"],
  source: ["poll_seconds", "sweep_seconds"],
  kimai: [
    "poll_seconds",
    "sweep_seconds",
    "placement_step_seconds",
    "send_window_seconds",
    "timeout_seconds",
    "grace_seconds",
    "concurrent_writes",
    "write_cap",
  ],
} as const;

const suggested = {
  zammad: { name: "desk", base_url: "https://zammad.example.com" },
  kimai: { name: "hours", base_url: "https://kimai.example.com" },
  source: { name: "papers", base_url: "/srv/hours" },
};

/** A folder may be written as its path alone. */
const addressOf = (text: string) =>
  text.startsWith("/") ? `file://${encodeURI(text).replace(/[?#]/g, encodeURIComponent)}` : text;

/** A Zammad, a Kimai or a folder of CSV files to be, or as it is; a secret goes in and never comes out. */
export function ConnectionForm({
  kind,
  existing,
  onDone,
}: {
  kind: Kind;
  existing?: AnyConnector;
  onDone: (name: string) => unknown;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState(existing?.name ?? suggested[kind].name);
  const [creates, setCreates] = useState(existing?.kind === "kimai" && existing.creates === true);
  const { act, error, isPending } = useAct(
    (body: Record<string, unknown>, key) => {
      const headers = { "Idempotency-Key": key };
      // the fields of a form are what the service says they are: it checks each of them
      return existing
        ? changeConnector({
            path: { name: existing.name },
            body: body as never,
            headers,
            throwOnError: true,
          })
        : makeConnector({ body: body as never, headers, throwOnError: true });
    },
    { done: t("connection.saved"), quiet: true },
  );

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const body: Record<string, unknown> = { kind, base_url: addressOf(text("base_url")) };
    if (!existing) body.name = name.trim();
    if (text("token")) body.token = text("token");
    if (kind !== "kimai") body.time_zone = text("time_zone");
    if (kind === "zammad") {
      if (text("webhook_secret")) body.webhook_secret = text("webhook_secret");
    } else if (kind === "source") {
      body.connector = connector;
    } else {
      body.creates = creates;
      if (existing?.kind === "kimai" && existing.lockdown) body.lockdown = existing.lockdown;
    }
    for (const name of numbers[kind]) if (text(name)) body[name] = Number(text(name));
    if (await act(body)) await onDone(name.trim());
  }

  const connector = existing?.kind === "source" ? existing.connector : "csv";
  const isFolder = kind === "source" && connector === "csv";
  const at = `/api/webhook/zammad/${name || "…"}`;
  const field = (name: string) => ({
    name,
    label: t(`connection.field.${name}` as never),
    wrong: wrongWith(error, name),
  });
  return (
    <form className="flex max-w-lg flex-col gap-4" onSubmit={(event) => void send(event)}>
      {!existing && (
        <TextField
          {...field("name")}
          hint={t("connection.name_hint")}
          value={name}
          onChange={({ target }) => setName(target.value)}
          pattern="[a-z][a-z0-9\-]{0,30}"
          required
        />
      )}
      <TextField
        {...field("base_url")}
        {...(isFolder && { label: t("csv.folder"), hint: t("csv.folder_hint") })}
        type={isFolder ? "text" : "url"}
        defaultValue={existing?.base_url}
        placeholder={suggested[kind].base_url}
        required
      />
      {isFolder && <CsvFiles />}
      {!isFolder && (
        <TextField
          {...field("token")}
          hint={
            existing || kind === "source"
              ? t("connection.secret_kept")
              : t(`connection.token_hint.${kind}`)
          }
          type="password"
          autoComplete="off"
          required={!existing && kind !== "source"}
        />
      )}
      {kind === "zammad" && (
        <TextField
          {...field("webhook_secret")}
          hint={
            existing ? t("connection.secret_kept") : t("connection.webhook_secret_hint", { at })
          }
          type="password"
          autoComplete="off"
          required={!existing}
        />
      )}
      {kind !== "kimai" && (
        <TextField
          {...field("time_zone")}
          defaultValue={
            existing && existing.kind !== "kimai"
              ? existing.time_zone
              : Intl.DateTimeFormat().resolvedOptions().timeZone
          }
        />
      )}
      {kind === "kimai" && (
        <Switch label={t("connection.field.creates")} on={creates} onChange={setCreates} />
      )}
      <details>
        <summary className="cursor-default text-ink-muted">{t("connection.fine_tuning")}</summary>
        <div className="grid gap-4 pt-3 sm:grid-cols-2">
          {numbers[kind].map((name) => (
            <TextField
              key={name}
              {...field(name)}
              type="number"
              min={0}
              step="any"
              defaultValue={existing && (existing as unknown as Record<string, number>)[name]}
              placeholder={t("connection.as_usual")}
            />
          ))}
        </div>
      </details>
      {error && <ProblemPanel error={error} />}
      <div className="flex gap-2">
        <Button type="submit" kind="primary" disabled={isPending}>
          {existing ? t("do.save") : t("connection.connect")}
        </Button>
      </div>
    </form>
  );
}

const needed = ["id", "ticket", "agent", "units", "made_at"];
const optional = ["number", "title", "organization", "customer", "group", "activity"];

/** What the files hold, and when they are believed (docs/how-to/csv.md). */
function CsvFiles() {
  const { t } = useTranslation();
  return (
    <details>
      <summary className="cursor-default text-ink-muted">{t("csv.files")}</summary>
      <dl className="flex flex-col gap-2 pt-2 text-xs">
        {(
          [
            [t("csv.needed"), needed.join(", ")],
            [t("csv.optional"), optional.join(", ")],
            [t("csv.finished"), "sha256sum *.csv > SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS"],
          ] as const
        ).map(([what, code]) => (
          <div key={code}>
            <dt className="text-ink-muted">{what}</dt>
            <dd className="pt-0.5">
              <code className="break-words">{code}</code>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
