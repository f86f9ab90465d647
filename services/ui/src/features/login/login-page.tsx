import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  readDoorOptions,
  setUpMutation,
  signInMutation,
  takeInvitationMutation,
} from "@/api/@tanstack/react-query.gen";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { toldOf, wrongWith } from "@/lib/problems";
import { enter } from "@/lib/session";

const route = getRouteApi("/login");

/** Three doors: with a password, with an invitation, and for the very first person with the set-up token. */
export function LoginPage() {
  const { t } = useTranslation();
  const { from, invitation } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: door } = useQuery(readDoorOptions());
  const [invited, setInvited] = useState(invitation !== undefined);
  const go = { onSuccess: enter };
  const signIn = useMutation({ ...signInMutation(), ...go });
  const setUp = useMutation({ ...setUpMutation(), ...go });
  const take = useMutation({ ...takeInvitationMutation(), ...go });
  const inside = async () => {
    await navigate({ href: from?.startsWith("/") && !from.startsWith("//") ? from : "/" });
  };

  if (door?.needs_set_up) {
    return (
      <Door
        title={t("login.first_title")}
        why={t("login.first_why")}
        act={t("login.first_do")}
        fields={["token", "name", "password"]}
        isNew
        error={setUp.error}
        busy={setUp.isPending}
        onSend={async ({ token, name, password }) => {
          await setUp.mutateAsync({ body: { token, name, password } });
          await navigate({ to: "/setup" });
        }}
      />
    );
  }
  if (invited) {
    return (
      <Door
        title={t("login.invited_title")}
        why={t("login.invited_why")}
        act={t("login.invited_do")}
        fields={["token", "password"]}
        given={invitation}
        isNew
        error={take.error}
        busy={take.isPending}
        onSend={async ({ token, password }) => {
          await take.mutateAsync({ body: { token, password } });
          await inside();
        }}
      >
        <Button kind="quiet" onClick={() => setInvited(false)}>
          {t("login.with_password")}
        </Button>
      </Door>
    );
  }
  return (
    <Door
      title={t("login.title")}
      act={t("login.in")}
      fields={["name", "password"]}
      error={signIn.error}
      busy={signIn.isPending}
      onSend={async ({ name, password }) => {
        await signIn.mutateAsync({ body: { name, password } });
        await inside();
      }}
    >
      <Button kind="quiet" onClick={() => setInvited(true)}>
        {t("login.with_invitation")}
      </Button>
    </Door>
  );
}

type FieldName = "token" | "name" | "password";

function Door({
  title,
  why,
  act,
  fields,
  given = "",
  isNew = false,
  error,
  busy,
  onSend,
  children,
}: {
  title: string;
  why?: string;
  act: string;
  fields: FieldName[];
  /** The token, where the address brought it. */
  given?: string;
  /** The password is being chosen, not remembered. */
  isNew?: boolean;
  error: unknown;
  busy: boolean;
  onSend: (said: Record<FieldName, string>) => Promise<unknown>;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const [said, setSaid] = useState({ token: given, name: "", password: "" });
  const looks = {
    token: { autoComplete: "one-time-code", type: "password" },
    name: { autoComplete: "username", type: "text" },
    password: {
      autoComplete: isNew ? "new-password" : "current-password",
      type: "password",
      minLength: isNew ? 12 : undefined,
      hint: isNew ? t("login.password_hint") : undefined,
    },
  };
  return (
    <main className="grid h-full place-items-center overflow-auto bg-surface p-4">
      <form
        className="flex w-full max-w-80 flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onSend(said).catch(() => undefined); // told below
        }}
      >
        <h1 className="flex items-center gap-2 text-xl font-semibold">
          <img src="/favicon.svg" alt="" className="size-6" /> {title}
        </h1>
        {why && <p className="text-ink-muted">{why}</p>}
        {fields.map((field) => (
          <TextField
            key={field}
            name={field}
            label={t(`login.${field}`)}
            required
            {...looks[field]}
            value={said[field]}
            wrong={wrongWith(error, field)}
            onChange={({ target }) => setSaid((was) => ({ ...was, [field]: target.value }))}
          />
        ))}
        {error !== null && <Wrong error={error} />}
        <Button type="submit" kind="primary" disabled={busy}>
          {act}
        </Button>
        {children}
      </form>
    </main>
  );
}

function Wrong({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const { key } = toldOf(error);
  return (
    <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-bad">
      <strong className="font-medium">{t(`problem.${key}.title`)}.</strong>{" "}
      {t(`problem.${key}.sentence`)}
    </p>
  );
}
