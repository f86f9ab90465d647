import { CircleX, Copy, RotateCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { toldOf } from "@/lib/problems";

/** What went wrong, why in one sentence, what to do; what the API said is folded under it. */
export function ProblemPanel({ error, retry }: { error: unknown; retry?: () => unknown }) {
  const { t } = useTranslation();
  const { key, problem } = toldOf(error);
  return (
    <section role="alert" className="m-4 max-w-2xl rounded-lg border border-line p-4 md:m-6">
      <h2 className="flex items-center gap-2 font-semibold">
        <CircleX className="size-4 shrink-0 text-bad" aria-hidden />
        {t(`problem.${key}.title`)}
      </h2>
      <p className="pt-1 text-ink-muted">{t(`problem.${key}.sentence`)}</p>
      <div className="flex flex-wrap items-center gap-2 pt-3">
        {retry && (
          <Button onClick={() => void retry()}>
            <RotateCw aria-hidden /> {t("do.again")}
          </Button>
        )}
      </div>
      {problem && <Details text={JSON.stringify(problem, null, 2)} />}
    </section>
  );
}

function Details({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <details className="pt-3 text-xs">
      <summary className="cursor-default text-ink-muted">{t("problem_details")}</summary>
      <pre className="mt-2 overflow-x-auto rounded-md bg-canvas p-2">{text}</pre>
      <Button
        size="sm"
        kind="quiet"
        className="mt-1"
        onClick={() => void navigator.clipboard.writeText(text)}
      >
        <Copy aria-hidden /> {t("do.copy")}
      </Button>
    </details>
  );
}
