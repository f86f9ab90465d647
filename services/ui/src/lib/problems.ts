import i18next from "i18next";
import type { Problem } from "@/api";
import type en from "@/locales/en.json";

/** The catalogue: what the API calls its problems, and what happens before it is reached. */
type ProblemKey = keyof typeof en.problem;

export type Told = {
  key: ProblemKey;
  /** As the API said it, in English; for the folded details. */
  problem: Problem | null;
};

const PREFIX = "urn:hourbook:problem:";
const isProblem = (error: unknown): error is Problem =>
  typeof error === "object" && error !== null && "type" in error && "status" in error;

export function toldOf(error: unknown): Told {
  if (isProblem(error)) {
    const slug = error.type.replace(PREFIX, "").replaceAll("-", "_");
    return {
      key: (i18next.exists(`problem.${slug}.title`) ? slug : "unknown") as ProblemKey,
      problem: error,
    };
  }
  return { key: error instanceof TypeError ? "unreachable" : "unknown", problem: null };
}

/** What is wrong with one field of a form: the API names it `body.base_url`. */
export function wrongWith(error: unknown, field: string): string | undefined {
  if (!isProblem(error)) return undefined;
  const spot = error.places?.find(
    ({ place }) => place === `body.${field}` || place.endsWith(`.${field}`),
  );
  return spot?.sentence.replace(/^Value error, /, "");
}
