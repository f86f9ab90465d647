import { Pencil } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Conflict, WorkShown } from "@/api";
import { Duration, Moment } from "@/components/format";
import { cn } from "@/lib/cn";
import { type Names, useNames } from "@/lib/names";

const fields = ["time", "began", "user", "project", "activity"] as const;
type Field = (typeof fields)[number];
type Work = WorkShown | null | undefined;

function partOf(work: Work, field: Field): string | number | null {
  if (!work) return null;
  switch (field) {
    case "time":
      return work.duration_seconds;
    case "began":
      return work.began_at;
    case "user":
      return work.place?.user_id ?? null;
    case "project":
      return work.place?.project_id ?? null;
    case "activity":
      return work.place?.activity_id ?? null;
    default:
      return field satisfies never;
  }
}

/** Zammad, what was last agreed, Kimai: what differs from the agreement is marked on the side that moved. */
export function Comparison({ conflict }: { conflict: Conflict }) {
  const { t } = useTranslation();
  const names = useNames();
  const { want, held, agreed } = conflict;
  const zone =
    conflict.agent_id === null ? null : names.zoneOf(conflict.connection, conflict.agent_id);
  const sides = [
    { name: "Zammad", work: want, agreed: agreed?.want, className: "text-zammad" },
    {
      name: t("conflicts.agreed"),
      work: agreed?.held ?? agreed?.want,
      agreed: undefined,
      className: "text-ink-muted",
    },
    { name: "Kimai", work: held, agreed: agreed?.held, className: "text-kimai" },
  ];
  const line = "grid grid-cols-3 md:grid-cols-[8rem_repeat(3,minmax(0,1fr))]";
  return (
    <div className="overflow-hidden rounded-lg border border-line">
      <table className="grid w-full">
        <caption className="sr-only">{t("conflicts.comparison")}</caption>
        <thead className="grid">
          <tr className={cn(line, "border-b border-line bg-canvas")}>
            <td className="max-md:hidden" />
            {sides.map(({ name, className }) => (
              <th
                key={name}
                scope="col"
                className={cn("px-3 py-1.5 text-left text-xs font-semibold", className)}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="grid">
          {fields.map((field) => (
            <tr key={field} className={cn(line, "border-b border-line last:border-0")}>
              <th
                scope="row"
                className="col-span-3 px-3 py-2 text-left text-xs font-medium text-ink-muted max-md:pb-0 md:col-span-1"
              >
                {t(`conflicts.field.${field}`)}
              </th>
              {sides.map((side) => {
                const changed =
                  agreed !== null &&
                  side.agreed !== undefined &&
                  partOf(side.work, field) !== partOf(side.agreed, field);
                return (
                  <td
                    key={side.name}
                    className={cn("px-3 py-2 break-words", changed && "bg-warn-soft font-medium")}
                  >
                    {show(side.work, field, names, zone) ?? (
                      <span className="text-ink-faint">{t("conflicts.absent")}</span>
                    )}
                    {changed && (
                      <span className="ml-2 inline-flex items-center gap-1 text-2xs text-warn">
                        <Pencil className="size-2.5" aria-hidden /> {t("conflicts.changed")}
                      </span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function show(work: Work, field: Field, names: Names, zone: string | null): ReactNode {
  if (!work) return null;
  const { place } = work;
  switch (field) {
    case "time":
      return <Duration seconds={work.duration_seconds} />;
    case "began":
      return <Moment at={work.began_at} zone={zone} />;
    case "user":
      return place && names.inKimai(place.target, "user", place.user_id);
    case "project":
      return place && names.inKimai(place.target, "project", place.project_id);
    case "activity":
      return place && names.inKimai(place.target, "activity", place.activity_id);
    default:
      return field satisfies never;
  }
}
