import { expect, test } from "vitest";
import { outcomeOf } from "./outcomes";

const work = { place: null, began_at: "2026-11-23T08:00:00Z", duration_seconds: 900 };

test.each([
  ["zammad", "changed_in_kimai", work, work, "update"],
  ["zammad", "deleted_in_kimai", work, null, "create"],
  ["zammad", "changed_in_kimai", null, work, "delete"],
  ["zammad", "overlap", work, null, "try_again"],
  ["zammad", "customer_changed", work, work, "reassign"],
  ["kimai", "changed_in_kimai", work, work, "keep"],
  ["kimai", "unmapped_worker", work, null, "ignore"],
  ["adopt", "possible_duplicate", work, null, "adopt"],
  ["anyway", "possible_duplicate", work, null, "create"],
] as const)("%s, of %s, comes to what it says", (choice, reason, want, held, outcome) => {
  expect(outcomeOf(choice, { reason, want, held })).toBe(outcome);
});
