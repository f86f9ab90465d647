import type { Step } from "@/api";
import type { Place } from "@/lib/names";

/** What the ledger says, as far as pages tell it in words (contracts/schemas has all of it). */
export type Work = { place: Place | null; began_at: string; duration_seconds: number };
export type Rule = { kind: string; key: string; mapping: string | null };
export type Trace = {
  raw_units: string;
  seconds_per_unit: number;
  net_seconds: number;
  taken?: { entry: string; seconds: number }[];
  rules?: Rule[];
  placed_on?: string | null;
};
type Message = {
  agent_id?: number;
  duration_seconds?: number;
  op?: string;
  want?: Work | null;
  expected?: Work | null;
  stored?: Work | null;
  asked?: Work | null;
  held?: Work | null;
  work?: Work;
  sure?: boolean;
  why?: string;
  detail?: string | null;
  reason?: string;
  choice?: string;
  by?: string;
  comment?: string | null;
};

export type Actor = "zammad" | "kimai" | "hourbook" | "person";
export const kinds = [
  "entry_recorded",
  "entry_changed",
  "entry_retracted",
  "ticket_observed",
  "timesheet_observed",
  "timesheet_vanished",
  "timesheet_written",
  "timesheet_found",
  "timesheet_deleted",
  "push_refused",
  "conflict_resolved",
  "requested_create",
  "requested_update",
  "requested_delete",
  "requested_adopt",
  "conflict_opened",
  "settled",
  "unknown",
] as const;
type StepKind = (typeof kinds)[number];

export type Told = {
  kind: StepKind;
  actor: Actor;
  /** The length of time it is about; null where it is about none. */
  seconds: number | null;
  message: Message;
  step: Step;
};

/** `hourbook.entry_recorded.v1` → `entry_recorded`. */
const nameOf = (type: string): string => type.split(".")[1] ?? type;

const actors: Record<string, Actor> = {
  entry: "zammad",
  ticket: "zammad",
  timesheet: "kimai",
  push: "kimai",
  requested: "hourbook",
  conflict: "hourbook",
  settled: "hourbook",
  unknown: "hourbook",
};

/** Each message in the words a person would use; its order stays the ledger's. */
export function tell(story: Step[]): Told[] {
  const recorded = new Set<string>();
  return story.map((step) => {
    const message = step.message as Message;
    const kind = kindOf(nameOf(step.type), step.subject, message, recorded);
    const actor = kind === "conflict_resolved" ? "person" : actors[kind.split("_")[0] ?? ""];
    return { kind, actor: actor ?? "hourbook", seconds: secondsOf(kind, message), message, step };
  });
}

function kindOf(name: string, subject: string, message: Message, recorded: Set<string>): StepKind {
  switch (name) {
    case "entry_recorded": {
      const again = recorded.has(subject);
      recorded.add(subject);
      return again ? "entry_changed" : "entry_recorded";
    }
    case "timesheet_written":
      if (message.stored === null) return "timesheet_deleted";
      return message.sure === false ? "timesheet_found" : "timesheet_written";
    case "timesheet_requested": {
      const wanted = `requested_${message.op}`;
      return kinds.find((kind) => kind === wanted) ?? "unknown";
    }
    default:
      return kinds.find((kind) => kind === name) ?? "unknown";
  }
}

function secondsOf(kind: StepKind, message: Message): number | null {
  switch (kind) {
    case "entry_recorded":
    case "entry_changed":
      return message.duration_seconds ?? null;
    case "timesheet_observed":
      return message.work?.duration_seconds ?? null;
    case "timesheet_written":
    case "timesheet_found":
      return message.stored?.duration_seconds ?? null;
    case "requested_create":
    case "requested_update":
    case "requested_adopt":
      return message.want?.duration_seconds ?? null;
    case "requested_delete":
      return message.expected?.duration_seconds ?? null;
    case "push_refused":
      return message.held?.duration_seconds ?? null;
    default:
      return null;
  }
}

export type Standing = {
  told: Told;
  /** Seconds; null: it held nothing. */
  zammad: number | null;
  kimai: number | null;
  /** As lists have it. */
  state: "settled" | "requested" | "asks" | "held_back";
};

/** How an entry stood right after each of its messages. */
export function standings(told: Told[], entry: string): Standing[] {
  let zammad: number | null = null;
  let kimai: number | null = null;
  let state: Standing["state"] = "held_back"; // nobody has decided anything yet
  return told.map((one) => {
    switch (one.kind) {
      case "entry_recorded":
      case "entry_changed":
        if (one.step.subject === entry) zammad = one.seconds;
        break;
      case "entry_retracted":
        if (one.step.subject === entry) zammad = null;
        break;
      case "timesheet_observed":
      case "timesheet_written":
      case "timesheet_found":
        kimai = one.seconds;
        break;
      case "timesheet_vanished":
      case "timesheet_deleted":
        kimai = null;
        break;
      case "requested_create":
      case "requested_update":
      case "requested_delete":
      case "requested_adopt":
        state = "requested";
        break;
      case "conflict_opened":
        state = "asks";
        break;
      case "settled":
        state = "settled";
        break;
      default:
        break;
    }
    return { told: one, zammad, kimai, state };
  });
}

export type Lane = { at: string; zammad: number | null; kimai: number | null; told: Told };

/** Where each side stood after each message that moved one of them. */
export function lanes(told: Told[], entry: string): Lane[] {
  let before: Pick<Lane, "zammad" | "kimai"> = { zammad: null, kimai: null };
  return standings(told, entry).flatMap(({ told: one, zammad, kimai }) => {
    if (before.zammad === zammad && before.kimai === kimai) return [];
    before = { zammad, kimai };
    return [{ at: one.step.at, zammad, kimai, told: one }];
  });
}
