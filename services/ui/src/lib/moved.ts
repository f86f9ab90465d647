/** What the live stream calls the things that move. */
export type Kind =
  | "entries"
  | "conflicts"
  | "tickets"
  | "resolutions"
  | "connectors"
  | "mappings"
  | "schedule"
  | "runs"
  | "users"
  | "jobs";

/** Which questions to the API show which kind, by the operation's name. */
const shows: Record<string, Kind[]> = {
  readEntry: ["entries", "conflicts", "tickets", "resolutions"],
  listEntries: ["entries", "tickets"],
  readTicket: ["entries", "tickets", "conflicts"],
  listConflicts: ["conflicts", "resolutions"],
  countConflicts: ["conflicts", "resolutions"],
  readConflict: ["conflicts", "resolutions"],
  readResolution: ["resolutions", "conflicts"],
  readOverview: ["entries", "conflicts", "resolutions", "connectors", "runs"],
  readMinutes: ["entries"],
  readQuestions: ["conflicts"],
  syncStatus: ["connectors", "runs", "conflicts"],
  listRuns: ["runs"],
  readSchedule: ["schedule", "runs"],
  listConnectors: ["connectors"],
  previewWriting: ["connectors", "mappings", "entries"],
  listMappings: ["mappings"],
  everyMapping: ["mappings"],
  everyName: ["connectors"],
  listUnmapped: ["mappings", "conflicts", "entries"],
  listDeliveriesIn: ["tickets", "entries"],
  listDeliveriesOut: ["entries"],
  listActs: ["resolutions", "connectors", "mappings", "schedule", "runs", "users", "jobs"],
  listJobs: ["jobs"],
  readJob: ["jobs"],
  listUsers: ["users"],
  readMe: ["users"],
};

/** Of one thing only: asked again when it is among those that moved. */
const one: Record<string, { kind: Kind; part: string }> = {
  readEntry: { kind: "entries", part: "entry" },
  readConflict: { kind: "conflicts", part: "conflict" },
  readJob: { kind: "jobs", part: "job" },
};

type Asked = { _id?: string; path?: Record<string, unknown> };

/** Whether a query shows something that has moved. */
export function shownBy(
  queryKey: readonly unknown[],
  moved: ReadonlyMap<Kind, ReadonlySet<string> | "many">,
): boolean {
  const { _id = "", path } = (queryKey[0] ?? {}) as Asked;
  return (shows[_id] ?? []).some((kind) => {
    const ids = moved.get(kind);
    if (ids === undefined) return false;
    const single = one[_id];
    if (ids === "many" || single?.kind !== kind) return true;
    return ids.has(String(path?.[single.part]));
  });
}
