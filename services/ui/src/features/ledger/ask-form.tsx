import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type AskJobData, askJob } from "@/api";
import { ProblemPanel } from "@/components/problem-panel";
import { Button } from "@/components/ui/button";
import { Switch, TextField } from "@/components/ui/field";
import { inputLook } from "@/components/ui/input-look";
import { Select } from "@/components/ui/select";
import { useAct } from "@/lib/act";
import { wrongWith } from "@/lib/problems";
import { useMay } from "@/lib/session";
import { type AskedKind, askedKinds, lookingKinds } from "./job-search";

type Body = NonNullable<AskJobData["body"]>;

/** What a person has typed, whatever kind it is for. */
type Typed = {
  of: string;
  at: string;
  second: string;
  policy: string;
  tickets: string;
  customer: string;
  first_on: string;
  last_on: string;
  even: boolean;
};
const nothing: Typed = {
  of: "",
  at: "",
  second: "",
  policy: "",
  tickets: "",
  customer: "",
  first_on: "",
  last_on: "",
  even: false,
};

export function AskForm({
  kind = "as_of",
  of,
  onKind,
  onAsked,
}: {
  kind: AskedKind | undefined;
  of: string | undefined;
  onKind: (kind: AskedKind) => void;
  onAsked: (job: string) => void;
}) {
  const { t } = useTranslation();
  const isAdmin = useMay("admin");
  const kinds = isAdmin ? askedKinds : lookingKinds;
  const [typed, setTyped] = useState({ ...nothing, of: of ?? "" });
  const [unread, setUnread] = useState(false);
  const { act, error, isPending, reset } = useAct(
    async (body: Body, key) =>
      (await askJob({ body, headers: { "Idempotency-Key": key }, throwOnError: true })).data,
    { quiet: true },
  );
  const change = (part: Partial<Typed>) => setTyped((was) => ({ ...was, ...part }));
  function ask(event: FormEvent) {
    event.preventDefault();
    const body = bodyOf(kind, typed);
    setUnread(body === null);
    if (body) void act(body).then((job) => job && onAsked(job.job));
  }
  return (
    <form className="flex flex-col gap-4 rounded-lg border border-line p-4" onSubmit={ask}>
      <Select
        label={t("ledger.what")}
        value={kind}
        options={kinds.map((value) => ({ value, label: t(`ledger.kind.${value}`) }))}
        onChange={(value) => {
          reset(); // what was wrong was wrong with something else
          setUnread(false);
          onKind(kinds.find((one) => one === value) ?? "as_of");
        }}
      />
      <p className="text-xs text-ink-muted">{t(`ledger.why.${kind}`)}</p>
      <Fields kind={kind} typed={typed} change={change} error={error} unread={unread} />
      {error && <ProblemPanel error={error} />}
      <Button type="submit" kind="primary" disabled={isPending} className="self-end">
        {t(kind === "resync_plan" ? "ledger.plan" : "ledger.begin")}
      </Button>
    </form>
  );
}

function Fields({
  kind,
  typed,
  change,
  error,
  unread,
}: {
  kind: AskedKind;
  typed: Typed;
  change: (part: Partial<Typed>) => void;
  error: unknown;
  unread: boolean;
}) {
  const { t } = useTranslation();
  const field = (
    name: Exclude<keyof Typed, "even" | "policy">,
    wrong: string,
    more: { type?: string; hint?: string; required?: boolean } = {},
  ) => (
    <TextField
      key={name}
      label={t(`ledger.field.${name}`)}
      value={typed[name]}
      maxLength={name === "tickets" ? 10_000 : 100}
      wrong={wrongWith(error, wrong)}
      onChange={({ target }) => change({ [name]: target.value })}
      {...more}
    />
  );
  const of = field("of", "of", { hint: t("ledger.hint.of") });
  const moment = { type: "datetime-local" };
  if (kind === "as_of") return [field("at", "at.moment", moment), of];
  if (kind === "compare") {
    return [
      field("at", "first.moment", { ...moment, required: true }),
      field("second", "second.moment", { ...moment, hint: t("ledger.hint.now") }),
      of,
    ];
  }
  if (kind === "what_if") {
    return [
      field("at", "policy_of", { ...moment, hint: t("ledger.hint.policy_of") }),
      of,
      <details key="policy">
        <summary className="cursor-default text-xs font-medium">{t("ledger.field.policy")}</summary>
        <textarea
          aria-label={t("ledger.field.policy")}
          rows={6}
          value={typed.policy}
          placeholder={EXAMPLE}
          onChange={({ target }) => change({ policy: target.value })}
          className={`${inputLook} mt-1 h-auto w-full font-mono text-xs`}
        />
        {(unread || wrongWith(error, "policy")) && (
          <p role="alert" className="text-xs text-bad">
            {wrongWith(error, "policy") ?? t("ledger.hint.not_json")}
          </p>
        )}
      </details>,
    ];
  }
  if (kind === "resync_plan") {
    return [
      field("tickets", "tickets", { hint: t("ledger.hint.tickets") }),
      field("customer", "customer", { hint: t("ledger.hint.customer") }),
      field("first_on", "first_on", { type: "date" }),
      field("last_on", "last_on", { type: "date", hint: t("ledger.hint.last_on") }),
    ];
  }
  if (kind === "rebuild") {
    return (
      <Switch
        label={t("ledger.field.even")}
        on={typed.even}
        onChange={(even) => change({ even })}
      />
    );
  }
  return null;
}

const EXAMPLE =
  '[{"type": "mapping_set", "kind": "customer", "source": "desk", "source_key": "organization:2", "target": "hours", "target_id": 8}]';

const momentOf = (local: string) => (local ? new Date(local).toISOString() : null);

/** Null where the proposed settings are no JSON. */
function bodyOf(kind: AskedKind, typed: Typed): Body | null {
  const of = typed.of.trim() || null;
  switch (kind) {
    case "as_of":
      return { kind, at: { moment: momentOf(typed.at) }, of };
    case "compare":
      return {
        kind,
        first: { moment: momentOf(typed.at) },
        second: { moment: momentOf(typed.second) },
        of,
      };
    case "what_if":
      try {
        const policy = typed.policy.trim() ? JSON.parse(typed.policy) : [];
        return { kind, of, policy_of: momentOf(typed.at), policy };
      } catch {
        return null;
      }
    case "resync_plan":
      return {
        kind,
        tickets: typed.tickets.split(/[\s,;]+/).filter(Boolean),
        customer: typed.customer.trim() || null,
        first_on: typed.first_on || null,
        last_on: typed.last_on || null,
      };
    case "rebuild":
      return { kind, even_if_different: typed.even };
    case "drop_old":
      return { kind };
  }
}
