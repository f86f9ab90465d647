import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Conflict,
  type Resolution,
  type ResolveManyBody,
  resolveConflict,
  resolveMany,
  undoResolution,
} from "@/api";
import { useAct } from "@/lib/act";
import type { Choice } from "@/lib/outcomes";
import { tell } from "@/lib/tell";

export type Answer = { conflict: Conflict; choice: Choice; sheet?: string; comment?: string };

/** Answers are held by the service for a few seconds; until then they can be taken back. */
export function useResolve({ onUndone }: { onUndone: (resolution: Resolution) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [sending, setSending] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<Promise<Resolution | undefined> | null>(null);

  const { act: takeBack } = useAct(async (resolution: string) => {
    const { data } = await undoResolution({ path: { resolution }, throwOnError: true });
    return data;
  });
  /** The answer that is shown as held, whoever gave it; else the last one of this page, also while it is sent. */
  async function undo(shown?: string) {
    const given = last.current;
    last.current = null;
    const resolution = shown ?? (await given)?.resolution_id;
    if (!resolution) return; // the service knows by its own clock whether it is too late, and says so
    const undone = await takeBack(resolution);
    if (undone) onUndone(undone);
  }

  function told(resolution: Resolution) {
    const held = resolution.items.filter(({ state }) => state === "held").length;
    if (held === 0) return;
    // by the service's clock, not by this machine's
    const timeout = Date.parse(resolution.undo_until) - Date.parse(resolution.made_at);
    tell({
      title: t("conflicts.held", { count: held }),
      timeout,
      deed: { label: t("do.undo"), do: () => void undo(resolution.resolution_id) },
    });
  }

  const one = useAct(async ({ conflict, choice, sheet, comment }: Answer, key) => {
    const { data } = await resolveConflict({
      path: { conflict: conflict.conflict },
      body: { choice, gen: conflict.gen, sheet: sheet ?? null, comment: comment || null },
      headers: { "Idempotency-Key": key },
      throwOnError: true,
    });
    return data;
  });
  const many = useAct(async (body: ResolveManyBody, key) => {
    const { data } = await resolveMany({
      body,
      headers: { "Idempotency-Key": key },
      throwOnError: true,
    });
    return data;
  });

  return {
    /** Between the click and the service's word. */
    sending,
    undo,
    async resolve(answer: Answer) {
      const id = answer.conflict.conflict;
      setSending((was) => new Set([...was, id]));
      last.current = one.act(answer);
      const resolution = await last.current;
      setSending((was) => new Set([...was].filter((other) => other !== id)));
      if (resolution) told(resolution);
      else await queries.invalidateQueries();
      return resolution;
    },
    async resolveMany(body: ResolveManyBody) {
      last.current = many.act(body);
      const resolution = await last.current;
      if (resolution) told(resolution);
      return resolution;
    },
    busy: many.isPending,
  };
}
