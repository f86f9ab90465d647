import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";

export type Chip = { key: string; label: string; value: string; remove: () => void };

/** What narrows the list, one chip each; all of them go with one button. */
export function FilterChips({ chips, clear }: { chips: Chip[]; clear: () => void }) {
  const { t } = useTranslation();
  if (chips.length === 0) return null;
  return (
    <>
      <ul className="contents" aria-label={t("filter.active")}>
        {chips.map(({ key, label, value, remove }) => (
          <li
            key={key}
            className="inline-flex h-7 items-center gap-1 rounded-md bg-accent-soft pl-2 text-xs"
          >
            <span className="text-ink-muted">{label}</span> {value}
            <button
              type="button"
              onClick={remove}
              aria-label={t("filter.remove", { filter: `${label} ${value}` })}
              className="grid size-7 place-items-center rounded-md text-ink-muted hover:text-ink"
            >
              <X className="size-3" aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <Button kind="quiet" size="sm" onClick={clear}>
        {t("do.clear")}
      </Button>
    </>
  );
}
