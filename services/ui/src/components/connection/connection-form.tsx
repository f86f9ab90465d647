import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { changeConnector, type KimaiConnector, makeConnector, type ZammadConnector } from "@/api";
import { ProblemPanel } from "@/components/problem-panel";
import { Button } from "@/components/ui/button";
import { Switch, TextField } from "@/components/ui/field";
import { useAct } from "@/lib/act";
import { wrongWith } from "@/lib/problems";

export type AnyConnector = ZammadConnector | KimaiConnector;
type Kind = AnyConnector["kind"];

const numbers = {
  zammad: ["poll_seconds", "sweep_seconds"],
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
};

/** A Zammad or a Kimai to be, or as it is; a secret goes in and never comes out. */
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
    const body: Record<string, unknown> = { kind, base_url: text("base_url") };
    if (!existing) body.name = name.trim();
    if (text("token")) body.token = text("token");
    if (kind === "zammad") {
      body.time_zone = text("time_zone");
      if (text("webhook_secret")) body.webhook_secret = text("webhook_secret");
    } else {
      body.creates = creates;
      if (existing?.kind === "kimai" && existing.lockdown) body.lockdown = existing.lockdown;
    }
    for (const name of numbers[kind]) if (text(name)) body[name] = Number(text(name));
    if (await act(body)) await onDone(name.trim());
  }

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
        type="url"
        defaultValue={existing?.base_url}
        placeholder={suggested[kind].base_url}
        required
      />
      <TextField
        {...field("token")}
        hint={existing ? t("connection.secret_kept") : t(`connection.token_hint.${kind}`)}
        type="password"
        autoComplete="off"
        required={!existing}
      />
      {kind === "zammad" && (
        <>
          <TextField
            {...field("webhook_secret")}
            hint={
              existing ? t("connection.secret_kept") : t("connection.webhook_secret_hint", { at })
            }
            type="password"
            autoComplete="off"
            required={!existing}
          />
          <TextField
            {...field("time_zone")}
            defaultValue={
              existing?.kind === "zammad"
                ? existing.time_zone
                : Intl.DateTimeFormat().resolvedOptions().timeZone
            }
          />
        </>
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
