import i18next from "i18next";
import { useTranslation } from "react-i18next";
import type { Act } from "@/api";
import { type Keyed, useSourceKey } from "@/lib/source-keys";

/** What people and the clock did, by the message that says so (contracts: control.py, house.py). */
export const actKinds = [
  "source_configured",
  "target_configured",
  "connection_removed",
  "target_learned",
  "unit_confirmed",
  "writing_on",
  "writing_off",
  "mapping_set",
  "mapping_removed",
  "period_closed",
  "period_reopened",
  "writes_released",
  "sync_requested",
  "backfill_requested",
  "alarm_raised",
  "target_alarm_raised",
  "alarm_answered",
  "user_made",
  "user_role",
  "user_in",
  "user_out",
  "user_invited",
  "user_password",
  "user_changed",
  "list_exported",
  "schedule_set",
  "run_missed",
  "run_ended",
  "conflict_resolved",
  "resolution_undone",
  "job_asked",
  "job_cancelled",
  "unknown",
] as const;
export type ActKind = (typeof actKinds)[number];

export function actKindOf({ type, message }: Pick<Act, "type" | "message">): ActKind {
  const name = type.split(".")[1] ?? type;
  if (name === "writing_switched") return message.on === true ? "writing_on" : "writing_off";
  if (name === "user_changed") return userKindOf(message);
  return actKinds.find((kind) => kind === name) ?? "unknown";
}

function userKindOf({ what, active }: Act["message"]): ActKind {
  if (what === "active") return active === true ? "user_in" : "user_out";
  return actKinds.find((kind) => kind === `user_${what}`) ?? "user_changed";
}

/** What a sentence about it names; what it does not need is left alone. */
function wordsOf(
  { subject, message, type }: Act,
  named: (keyed: Keyed) => string,
): Record<string, string> {
  const said = (name: string) => String(message[name] ?? "");
  return {
    type,
    what: subject.replace(/^(connection|mapping|user)\//, ""),
    from: "source_key" in message ? named(message as Keyed) : "",
    to: `${said("target")} ${said("target_id")}`.trim(),
    first: said("first_on"),
    last: said("last_on"),
    seconds: said("seconds_per_unit"),
    list: said("of") && i18next.t(`nav.${said("of") as "entries"}`, { defaultValue: said("of") }),
    cron: said("cron"),
    zone: said("time_zone"),
    count: said("count"),
    how: said("what"),
    job: type.includes(".job_") ? i18next.t(`ledger.kind.${said("kind") as "as_of"}`) : "",
  };
}

/** What was done, in one sentence. */
export function useActText(): (act: Act) => string {
  const { t } = useTranslation();
  const named = useSourceKey();
  // each sentence names some of the words, and the keys of all of them are known only together
  return (act) =>
    t(`act.${actKindOf(act)}` as "act.unknown", wordsOf(act, named) as { type: string });
}
