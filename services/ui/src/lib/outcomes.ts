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

/** Which mapping would answer it for good, as the address of its page names it; null where none would. */
export function mappingFor({ reason, trace }: Pick<Conflict, "reason" | "trace">) {
  if (!(reason in unmapped)) return null;
  const kind = unmapped[reason as keyof typeof unmapped];
  return { kind, key: trace?.rules.find((one) => one.kind === kind && one.mapping === null)?.key };
}
