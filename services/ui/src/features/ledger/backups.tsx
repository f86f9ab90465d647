import { Copy } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";

const FILE = "hourbook.jsonl.gz";
const STEPS = [
  ["make", `hourbook backup ${FILE}`],
  ["check", `hourbook restore --dry-run ${FILE}`],
  ["bring_back", `hourbook restore ${FILE}`],
  ["go_on", "hourbook adopt-log"],
] as const;

/** How the ledger becomes a file and comes back: on the machine that holds it, not in a browser. */
export function Backups() {
  const { t } = useTranslation();
  return (
    <details className="rounded-lg border border-line p-3">
      <summary className="cursor-default font-semibold">{t("ledger.backup.title")}</summary>
      <p className="pt-2 text-ink-muted">{t("ledger.backup.explained")}</p>
      <ol className="flex flex-col gap-3 pt-3">
        {STEPS.map(([step, command]) => (
          <li key={step}>
            {t(`ledger.backup.${step}`)}
            <span className="flex items-center gap-1 pt-1">
              <code className="min-w-0 flex-1 overflow-x-auto rounded-md bg-canvas p-2 text-xs">
                {command}
              </code>
              <Button
                size="sm"
                kind="quiet"
                aria-label={`${t("do.copy")}: ${command}`}
                onClick={() => void navigator.clipboard.writeText(command)}
              >
                <Copy aria-hidden />
              </Button>
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
