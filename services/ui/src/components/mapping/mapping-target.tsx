import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  changeMapping,
  type Mapping,
  type MappingBody,
  makeMapping,
  previewMapping,
  type Suggestion,
} from "@/api";
import { Duration } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { Button } from "@/components/ui/button";
import { Picker } from "@/components/ui/picker";
import type { Pick } from "@/components/ui/picker-look";
import { useAct } from "@/lib/act";
import { directoryOptions } from "@/lib/names";
import { reasonKey } from "@/lib/reasons";

type Kind = MappingBody["kind"];
type Target = Pick & { target: string; id: number; zone: string | null };
/** What Kimai calls what a mapping of this kind leads to. */
const leadsTo = { worker: "user", customer: "project", activity: "activity" } as const;

/** Everything in Kimai that a mapping of a kind may lead to, with its names. */
function useTargets(kind: Kind): Target[] {
  const { data } = useQuery(directoryOptions());
  return useMemo(() => {
    const found: Target[] = [];
    const targets = [...(data ?? [])];
    for (const [target, names] of targets) {
      const customers = new Map(
        names.filter((one) => one.kind === "customer").map((one) => [one.id, one.name]),
      );
      for (const one of names) {
        if (one.kind !== leadsTo[kind] || !one.visible) continue;
        const parent = one.parent_id === null ? undefined : customers.get(one.parent_id);
        found.push({
          value: `${target}:${one.id}`,
          label: one.name ?? `#${one.id}`,
          hint: [parent, targets.length > 1 ? target : undefined].filter(Boolean).join(" · "),
          target,
          id: one.id,
          zone: one.time_zone,
        });
      }
    }
    return found.sort((a, b) => a.label.localeCompare(b.label));
  }, [data, kind]);
}

/** Picks where something leads in Kimai; says what that releases before it is saved. */
export function MappingTarget({
  kind,
  source,
  sourceKey,
  existing,
  suggestion,
  focused,
  onDone,
}: {
  kind: Kind;
  source: string;
  sourceKey: string;
  existing?: Mapping;
  suggestion?: Suggestion | null;
  focused?: boolean;
  onDone?: () => void;
}) {
  const { t } = useTranslation();
  const targets = useTargets(kind);
  const begun = existing ?? suggestion;
  const [picked, setPicked] = useState(begun ? `${begun.target}:${begun.target_id}` : null);
  const value = targets.find((one) => one.value === picked) ?? null;
  const body: MappingBody | null = value && {
    kind,
    source,
    source_key: sourceKey,
    target: value.target,
    target_id: value.id,
    time_zone: kind === "worker" ? value.zone : null,
  };
  const preview = useQuery({
    queryKey: [{ _id: "previewMapping", body }],
    enabled: body !== null && !existing,
    queryFn: async () =>
      body === null ? null : (await previewMapping({ body, throwOnError: true })).data,
  });
  const { act, error, isPending } = useAct(
    async (said: MappingBody, key) => {
      const headers = { "Idempotency-Key": key };
      if (!existing) return makeMapping({ body: said, headers, throwOnError: true });
      const path = { mapping: existing.mapping };
      return changeMapping({ path, body: said, headers, throwOnError: true });
    },
    { done: t("mapping.saved"), quiet: true },
  );
  const isSuggested = suggestion && picked === `${suggestion.target}:${suggestion.target_id}`;
  return (
    <form
      className="flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (body) void act(body).then((answer) => answer && onDone?.());
      }}
    >
      <Picker
        label={t(`mapping.in_kimai.${kind}`)}
        placeholder={t(`mapping.in_kimai.${kind}`)}
        items={targets}
        value={value}
        onPick={(next) => setPicked(next?.value ?? null)}
        focused={focused}
        className="w-56 max-md:w-full"
      />
      <Button type="submit" kind="primary" disabled={!body || isPending}>
        {t("do.save")}
      </Button>
      <p role="status" className="basis-full text-xs text-ink-muted">
        {isSuggested && <>{t("mapping.suggested")} · </>}
        {preview.data && (
          <>
            {t("mapping.releases", { count: preview.data.releases })}
            {preview.data.releases > 0 && (
              <>
                {" "}
                (<Duration seconds={preview.data.seconds} />)
              </>
            )}
            {Object.entries(preview.data.still_wait).map(([reason, count]) => (
              <span key={reason}>
                {" "}
                · {t("mapping.still_wait", { count })} {t(`reason.${reasonKey(reason)}.title`)}
              </span>
            ))}
          </>
        )}
      </p>
      {error && <ProblemPanel error={error} />}
    </form>
  );
}
