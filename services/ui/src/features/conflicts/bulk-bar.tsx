import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import type { Choice } from "@/lib/outcomes";

const choices: Choice[] = ["zammad", "kimai", "adopt", "anyway"];

/** What can be done with all that is selected. */
export function BulkBar({
  count,
  matching,
  all,
  offered,
  onAll,
  onClear,
  onChoose,
}: {
  count: number;
  /** How many the filters find. */
  matching: number;
  /** All of those are meant. */
  all: boolean;
  offered: ReadonlySet<Choice>;
  onAll: () => void;
  onClear: () => void;
  onChoose: (choice: Choice) => void;
}) {
  const { t } = useTranslation();
  return (
    <section
      aria-label={t("bulk.title")}
      className="flex flex-wrap items-center gap-2 border-b border-line bg-accent-soft px-3 py-2"
    >
      <p role="status" className="flex-1 font-medium tabular-nums">
        {t("bulk.selected", { count: all ? matching : count })}
      </p>
      <Button size="icon" kind="quiet" aria-label={t("keys.name.clear")} onClick={onClear}>
        <X aria-hidden />
      </Button>
      {!all && matching > count && (
        <Button size="sm" kind="quiet" className="basis-full justify-start" onClick={onAll}>
          {t("bulk.all", { count: matching })}
        </Button>
      )}
      <div className="flex basis-full flex-wrap gap-2">
        {choices
          .filter((choice) => offered.has(choice))
          .map((choice) => (
            <Button key={choice} size="sm" onClick={() => onChoose(choice)}>
              {t(`choice.${choice}.label`)}
            </Button>
          ))}
      </div>
    </section>
  );
}
