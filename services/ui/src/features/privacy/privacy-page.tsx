import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { listConnectorsOptions, listUsersOptions } from "@/api/@tanstack/react-query.gen";
import { PageHead } from "@/components/page-head";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { Accesses } from "./accesses";
import { Erasures } from "./erasures";
import { Person } from "./person";
import { RetentionTable } from "./retention-table";

const route = getRouteApi("/inside/privacy");
const OURS = "user";

/** What is kept about whom and for how long, who looked at it, and a person forgotten. */
export function PrivacyPage() {
  const { t } = useTranslation();
  const { identity } = route.useSearch();
  const navigate = route.useNavigate();
  const show = (wanted: string | undefined) => void navigate({ search: { identity: wanted } });
  return (
    <>
      <PageHead title={t("nav.privacy")} />
      <div className="flex w-full max-w-5xl flex-col gap-8 p-4 md:p-6">
        <section aria-labelledby="person" className="flex flex-col gap-4">
          <h2 id="person" className="font-semibold">
            {t("privacy.person")}
          </h2>
          <Find onFound={show} />
          {identity && (
            <Person key={identity} identity={identity} onAsked={() => show(undefined)} />
          )}
        </section>
        <Erasures />
        <RetentionTable />
        <Accesses />
      </div>
    </>
  );
}

/** By the number that the system has for them; of our own people there are few enough to choose from. */
function Find({ onFound }: { onFound: (identity: string) => void }) {
  const { t } = useTranslation();
  const { data } = useQuery(listConnectorsOptions());
  const people = useQuery(listUsersOptions()).data?.items ?? [];
  const [system, setSystem] = useState("");
  const [number, setNumber] = useState("");
  const [person, setPerson] = useState("");
  const systems = [
    ...(data?.items ?? []).map(({ kind, name }) => ({
      value: `${kind}:${name}:user`,
      label: name,
    })),
    { value: OURS, label: "Hourbook" },
  ];
  const chosen = system || (systems[0]?.value ?? OURS);
  const ours = person || (people[0]?.user ?? "");
  return (
    <form
      className="flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        onFound(chosen === OURS ? ours : `${chosen}:${number.trim()}`);
      }}
    >
      <Select label={t("privacy.system")} value={chosen} options={systems} onChange={setSystem} />
      {chosen === OURS ? (
        <Select
          label={t("privacy.who")}
          value={ours}
          options={people.map(({ user, name }) => ({ value: user, label: name }))}
          onChange={setPerson}
        />
      ) : (
        <TextField
          label={t("privacy.number")}
          required
          pattern="[0-9]{1,18}"
          maxLength={18}
          value={number}
          onChange={({ target }) => setNumber(target.value)}
        />
      )}
      <Button type="submit">{t("privacy.find")}</Button>
    </form>
  );
}
