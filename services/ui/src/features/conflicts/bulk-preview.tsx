import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type ManyBody, previewResolution, type ResolutionPreview } from "@/api";
import { Duration } from "@/components/format";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { TextField } from "@/components/ui/field";

/** Says what will happen before it does; deleting in Kimai is the one thing that asks twice. */
export function BulkPreview({
  body,
  busy,
  onClose,
  onDo,
}: {
  body: ManyBody;
  busy: boolean;
  onClose: () => void;
  onDo: (count: number) => void;
}) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: [{ _id: "previewResolution", body }],
    queryFn: async () => (await previewResolution({ body, throwOnError: true })).data,
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <Dialog open onOpen={(open) => !open && onClose()} title={t(`choice.${body.choice}.label`)}>
      {error && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows rows={2} />}
      {data && <Outcome preview={data} busy={busy} onClose={onClose} onDo={onDo} />}
    </Dialog>
  );
}

function Outcome({
  preview,
  busy,
  onClose,
  onDo,
}: {
  preview: ResolutionPreview;
  busy: boolean;
  onClose: () => void;
  onDo: (count: number) => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const deleted = preview.outcomes.find(({ outcome }) => outcome === "delete")?.count ?? 0;
  const done = preview.outcomes.reduce((sum, { count }) => sum + count, 0);
  const sure = deleted === 0 || typed.trim() === String(deleted);
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        onDo(preview.count);
      }}
    >
      <ul className="rounded-lg border border-line">
        {preview.outcomes.map(({ outcome, count, seconds }) => (
          <li key={outcome} className="flex gap-3 border-b border-line px-3 py-2 last:border-0">
            <span className="flex-1">{t(`outcome.${outcome}.will`, { count })}</span>
            <Duration seconds={seconds} className="text-ink-muted" />
          </li>
        ))}
        {preview.skipped.map(({ why, count }) => (
          <li key={why} className="border-b border-line px-3 py-2 text-ink-muted last:border-0">
            {t("bulk.skipped", { count })}: {t(`skipped.${why}` as never, { defaultValue: why })}
          </li>
        ))}
      </ul>
      {deleted > 0 && (
        <TextField
          label={t("bulk.type_number", { count: deleted })}
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t("do.cancel")}</Button>
        <Button
          type="submit"
          kind={deleted > 0 ? "danger" : "primary"}
          disabled={busy || done === 0 || !sure}
        >
          {t("bulk.do", { count: done })}
        </Button>
      </div>
    </form>
  );
}
