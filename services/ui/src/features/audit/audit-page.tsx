import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Act } from "@/api";
import type { Column } from "@/components/data-table";
import { Empty } from "@/components/empty";
import { FilterChips } from "@/components/filter-chips";
import { Moment } from "@/components/format";
import { FoundTable } from "@/components/found-table";
import { PageHead } from "@/components/page-head";
import { Total } from "@/components/total";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Select } from "@/components/ui/select";
import { useActText } from "@/lib/acts";
import { useCsv } from "@/lib/csv";
import { type AuditSearch, actsOptions, actsQuery } from "./audit-search";

const route = getRouteApi("/inside/audit");

/** What people did, and when; on request also what the clock and the services did. */
export function AuditPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<AuditSearch>) =>
    void navigate({ search: (was) => ({ ...was, ...part }), replace: true });
  const [shown, setShown] = useState<Act | null>(null);
  const { save, isPending } = useCsv("audit", actsQuery(search));
  const found = useInfiniteQuery({ ...actsOptions(search), placeholderData: keepPreviousData });
  const rows = useMemo(() => found.data?.pages.flatMap(({ items }) => items), [found.data]);
  const textOf = useActText();
  const columns = useColumns(change, setShown);
  const by = rows?.find((act) => act.by === search.by)?.by_name ?? search.by;
  const chip = (key: keyof AuditSearch, label: string, value: string | undefined) =>
    value === undefined ? [] : [{ key, label, value, remove: () => change({ [key]: undefined }) }];
  const chips = [
    ...chip("by", t("audit.by"), by),
    ...chip("type", t("audit.what"), search.type),
    ...chip("subject", t("audit.subject"), search.subject),
  ];
  const clear = () => void navigate({ search: {} });
  return (
    <>
      <PageHead
        title={t("nav.audit")}
        count={<Total of={found.data?.pages[0]?.total} what="events" />}
      >
        <Button disabled={isPending} onClick={save}>
          <Download aria-hidden /> CSV
        </Button>
      </PageHead>
      <div className="flex shrink-0 flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
        <Select
          label={t("audit.by")}
          value={search.everybody ? "everybody" : "people"}
          options={[
            { value: "people", label: t("audit.people") },
            { value: "everybody", label: t("audit.everybody") },
          ]}
          onChange={(value) => change({ everybody: value === "everybody" || undefined })}
        />
        <FilterChips chips={chips} clear={clear} />
      </div>
      <FoundTable
        found={found}
        label={t("nav.audit")}
        columns={columns}
        rows={rows}
        rowId={({ act }) => act}
        onPeek={setShown}
        empty={
          <Empty
            kind={chips.length > 0 ? "no_match" : "nothing_yet"}
            title={t(chips.length > 0 ? "audit.no_match" : "audit.nothing_yet")}
          >
            {chips.length > 0 && <Button onClick={clear}>{t("do.clear")}</Button>}
          </Empty>
        }
      />
      {shown && (
        <Dialog edge open onOpen={() => setShown(null)} title={textOf(shown)}>
          <p className="pb-2 text-ink-muted">
            {shown.by_name ?? shown.by} · <Moment at={shown.at} style="long" /> ·{" "}
            <code className="text-xs">{shown.act}</code>
          </p>
          <pre className="overflow-x-auto rounded-md bg-canvas p-2 text-xs">
            {JSON.stringify(shown.message, null, 2)}
          </pre>
        </Dialog>
      )}
    </>
  );
}

function useColumns(
  change: (part: Partial<AuditSearch>) => void,
  show: (act: Act) => void,
): Column<Act>[] {
  const { t } = useTranslation();
  const textOf = useActText();
  return [
    {
      id: "what",
      header: t("audit.what"),
      width: "minmax(0,1fr)",
      narrow: true,
      cell: ({ row: { original: act } }) => (
        <button
          type="button"
          className="max-w-full truncate text-left font-medium hover:underline"
          onClick={() => show(act)}
        >
          {textOf(act)}
        </button>
      ),
    },
    {
      id: "by",
      header: t("audit.by"),
      width: "10rem",
      cell: ({ row: { original: act } }) => (
        <button
          type="button"
          className="max-w-full truncate hover:underline"
          onClick={() => change({ by: act.by, everybody: true })}
        >
          {act.by_name ?? act.by}
        </button>
      ),
    },
    {
      id: "subject",
      header: t("audit.subject"),
      width: "14rem",
      cell: ({ row: { original: act } }) => (
        <button
          type="button"
          className="max-w-full truncate text-xs text-ink-muted hover:underline"
          onClick={() => change({ subject: act.subject })}
        >
          {act.subject}
        </button>
      ),
    },
    {
      id: "at",
      header: t("audit.at"),
      width: "8rem",
      narrow: true,
      cell: ({ row: { original: act } }) => <Moment at={act.at} />,
    },
  ];
}
