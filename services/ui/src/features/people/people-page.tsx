import { useQuery } from "@tanstack/react-query";
import { Copy, UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeUser, type Invited, inviteAgain, makeUser, type Role, type User } from "@/api";
import { listUsersOptions } from "@/api/@tanstack/react-query.gen";
import { Moment } from "@/components/format";
import { PageHead } from "@/components/page-head";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { TextField } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { useAct } from "@/lib/act";
import { wrongWith } from "@/lib/problems";
import { useSession } from "@/lib/session";

const roles: Role[] = ["viewer", "operator", "admin"];

/** Who may come in, and what each may do. */
export function PeoplePage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(listUsersOptions());
  const [making, setMaking] = useState(false);
  const [invited, setInvited] = useState<Invited | null>(null);
  return (
    <>
      <PageHead title={t("nav.people")}>
        <Button kind="primary" onClick={() => setMaking(true)}>
          <UserPlus aria-hidden /> {t("people.invite")}
        </Button>
      </PageHead>
      {error && !data && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {data && (
        <ul className="m-4 max-w-4xl rounded-lg border border-line md:m-6">
          {data.items.map((user) => (
            <Person key={user.user} user={user} onInvited={setInvited} />
          ))}
        </ul>
      )}
      {making && (
        <NewPerson
          onClose={() => setMaking(false)}
          onInvited={(made) => {
            setMaking(false);
            setInvited(made);
          }}
        />
      )}
      {invited && <Invitation invited={invited} onClose={() => setInvited(null)} />}
    </>
  );
}

function Person({ user, onInvited }: { user: User; onInvited: (invited: Invited) => void }) {
  const { t } = useTranslation();
  const self = useSession()?.user === user.user;
  const { act, isPending } = useAct(
    (body: { role: Role; active: boolean }) =>
      changeUser({ path: { user: user.user }, body, throwOnError: true }),
    { done: t("people.changed") },
  );
  const again = useAct(
    async (_: null) => (await inviteAgain({ path: { user: user.user }, throwOnError: true })).data,
  );
  return (
    <li className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5 last:border-0">
      <div className="min-w-0 flex-1 basis-48">
        <p className="truncate font-medium">
          {user.name}{" "}
          {!user.active && <span className="text-xs text-ink-muted">{t("people.inactive")}</span>}
          {self && <span className="text-xs text-ink-muted">{t("people.you")}</span>}
        </p>
        <p className="text-xs text-ink-muted">
          {user.last_signed_in_at ? (
            <>
              {t("people.last_in")} <Moment at={user.last_signed_in_at} ago />
            </>
          ) : (
            t(user.has_password ? "people.never_in" : "people.invited")
          )}
        </p>
      </div>
      <Select
        label={t("people.role")}
        value={user.role}
        disabled={isPending || self}
        options={roles.map((role) => ({ value: role, label: t(`people.roles.${role}`) }))}
        onChange={(role) => void act({ role: role as Role, active: user.active })}
      />
      <Button
        disabled={again.isPending || !user.active}
        onClick={() => void again.act(null).then((made) => made && onInvited(made))}
      >
        {t("people.invite_again")}
      </Button>
      {!self && (
        <Button
          kind={user.active ? "danger" : "plain"}
          disabled={isPending}
          onClick={() => void act({ role: user.role, active: !user.active })}
        >
          {t(user.active ? "people.lock_out" : "people.let_in")}
        </Button>
      )}
    </li>
  );
}

function NewPerson({
  onClose,
  onInvited,
}: {
  onClose: () => void;
  onInvited: (invited: Invited) => void;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const { act, error, isPending } = useAct(
    async (body: { name: string; role: Role }) =>
      (await makeUser({ body, throwOnError: true })).data,
    { quiet: true },
  );
  return (
    <Dialog open onOpen={onClose} title={t("people.invite")}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void act({ name, role }).then((made) => made && onInvited(made));
        }}
      >
        <TextField
          label={t("login.name")}
          required
          maxLength={100}
          autoComplete="off"
          value={name}
          wrong={wrongWith(error, "name")}
          onChange={({ target }) => setName(target.value)}
        />
        <Select
          label={t("people.role")}
          value={role}
          options={roles.map((value) => ({ value, label: t(`people.roles.${value}`) }))}
          onChange={(value) => setRole(value as Role)}
        />
        <p className="text-xs text-ink-muted">{t(`people.may.${role}`)}</p>
        {error && <ProblemPanel error={error} />}
        <Button type="submit" kind="primary" disabled={isPending} className="self-end">
          {t("people.invite")}
        </Button>
      </form>
    </Dialog>
  );
}

/** Shown once: the service keeps only its digest. */
function Invitation({ invited, onClose }: { invited: Invited; onClose: () => void }) {
  const { t } = useTranslation();
  const link = `${location.origin}/login?invitation=${encodeURIComponent(invited.invitation)}`;
  return (
    <Dialog open onOpen={onClose} title={t("people.invitation_for", { name: invited.user.name })}>
      <p className="pb-3 text-ink-muted">{t("people.invitation_why")}</p>
      <p className="rounded-md bg-canvas p-2 text-xs break-all">
        <code>{link}</code>
      </p>
      <Button className="mt-3" onClick={() => void navigator.clipboard.writeText(link)}>
        <Copy aria-hidden /> {t("do.copy")}
      </Button>
    </Dialog>
  );
}
