import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleDashed, CircleX, Stethoscope, TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { tryConnection } from "@/api";
import { ProblemPanel } from "@/components/problem-panel";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

const looks = {
  ok: { icon: CircleCheck, className: "text-ok" },
  warning: { icon: TriangleAlert, className: "text-warn" },
  failed: { icon: CircleX, className: "text-bad" },
  untried: { icon: CircleDashed, className: "text-ink-muted" },
};

/** Tries a connection step by step, and says at each what to do; writes nothing on either side. */
export function ConnectionTest({ name, atOnce = false }: { name: string; atOnce?: boolean }) {
  const { t } = useTranslation();
  const { data, error, isPending, mutate } = useMutation({
    mutationFn: async () => (await tryConnection({ path: { name }, throwOnError: true })).data,
  });
  useEffect(() => {
    if (atOnce) mutate();
  }, [atOnce, mutate]);
  return (
    <div className="flex flex-col items-start gap-3">
      <Button onClick={() => mutate()} disabled={isPending}>
        <Stethoscope aria-hidden /> {isPending ? t("connection.testing") : t("connection.test")}
      </Button>
      {error && <ProblemPanel error={error} />}
      {data && (
        <ol
          aria-label={t("connection.test_steps")}
          className="w-full rounded-lg border border-line"
        >
          {data.steps.map((step) => {
            const { icon: Icon, className } = looks[step.level];
            return (
              <li
                key={`${step.step} ${step.sentence}`}
                className="flex items-start gap-2 border-b border-line px-3 py-2 last:border-0"
              >
                <Icon className={cn("mt-0.5 size-4 shrink-0", className)} aria-hidden />
                <span className="sr-only">{t(`connection.level.${step.level}`)}: </span>
                <span className="min-w-0 flex-1">
                  <span className="font-medium">{t(`connection.step.${step.step}`)}</span>{" "}
                  <span className="text-ink-muted" lang="en">
                    {step.sentence}
                  </span>
                </span>
                <span className="text-xs text-ink-faint tabular-nums">{step.milliseconds} ms</span>
              </li>
            );
          })}
        </ol>
      )}
      <p role="status" className="sr-only">
        {data && (data.ok ? t("connection.test_ok") : t("connection.test_failed"))}
      </p>
    </div>
  );
}
