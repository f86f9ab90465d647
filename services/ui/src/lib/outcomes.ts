import type { Conflict, OutcomeCount, ResolveBody } from "@/api";

export type Choice = ResolveBody["choice"];
export type Outcome = OutcomeCount["outcome"];

const triesAgain = new Set([
  "refused_by_kimai",
  "missing_permission",
  "overlap",
  "day_full",
  "project_closed",
  "budget_used",
]);

/** What comes of an answer, so that its button can say it; the service decides (query-api, choices.py). */
export function outcomeOf(
  choice: Choice,
  { reason, want, held }: Pick<Conflict, "reason" | "want" | "held">,
): Outcome {
  if (choice === "adopt") return "adopt";
  if (choice === "kimai") return held === null ? "ignore" : "keep";
  if (reason === "customer_changed") return "reassign";
  if (triesAgain.has(reason)) return "try_again";
  if (held === null || choice === "anyway") return "create";
  return want === null ? "delete" : "update";
}

const unmapped = {
  unmapped_worker: "worker",
  unmapped_customer: "customer",
  unmapped_activity: "activity",
} as const;

/** Which kind of mapping would answer it for good; null where none would. */
export const mappingThatAnswers = (reason: string) =>
  reason in unmapped ? unmapped[reason as keyof typeof unmapped] : null;
