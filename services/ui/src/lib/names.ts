import { queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { listConnectors, listMappings, type Mapping, type Named, readDirectory } from "@/api";

const PAGES_MAX = 50;
const MINUTES = 60_000;

/** All pages of a list, up to a limit: for what is looked up, not for what is shown. */
async function everyPage<Item>(
  page: (cursor: string | undefined) => Promise<{ items: Item[]; next: string | null }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let cursor: string | undefined;
  for (let number = 0; number < PAGES_MAX; number += 1) {
    const { items, next } = await page(cursor);
    all.push(...items);
    if (next === null) break;
    cursor = next;
  }
  return all;
}

export const everyMappingOptions = () =>
  queryOptions({
    queryKey: [{ _id: "everyMapping" }],
    staleTime: 5 * MINUTES,
    queryFn: ({ signal }) =>
      everyPage(
        async (cursor) =>
          (await listMappings({ query: { limit: 200, cursor }, signal, throwOnError: true })).data,
      ),
  });

const kindsInKimai = ["user", "customer", "project", "activity"] as const;
type KindInKimai = (typeof kindsInKimai)[number];

/** What Kimai calls its users, customers, projects and activities, by connection. */
export const directoryOptions = () =>
  queryOptions({
    queryKey: [{ _id: "everyName" }],
    staleTime: 5 * MINUTES,
    queryFn: async ({ signal }) => {
      const { data } = await listConnectors({ signal, throwOnError: true });
      const names = new Map<string, Named[]>();
      for (const { kind, name } of data.items) {
        if (kind !== "kimai") continue;
        const found = kindsInKimai.map((wanted) =>
          everyPage(async (cursor) => {
            const query = { kind: wanted, limit: 200, cursor };
            return (await readDirectory({ path: { name }, query, signal, throwOnError: true }))
              .data;
          }),
        );
        names.set(name, (await Promise.all(found)).flat());
      }
      return names;
    },
  });

const agentsOptions = (name: string, id: number[]) =>
  queryOptions({
    queryKey: [{ _id: "agentNames", name, id }],
    staleTime: 5 * MINUTES,
    retry: false,
    queryFn: async ({ signal }) => {
      const query = { kind: "agent" as const, id };
      return (await readDirectory({ path: { name }, query, signal, throwOnError: true })).data;
    },
  });

export type Place = { target: string; user_id: number; project_id: number; activity_id: number };
type Whose = { connection: string; agent_id: number | null };

export type Names = {
  /** Of Kimai's things; their number where nobody told us the name. */
  inKimai: (target: string | null | undefined, kind: KindInKimai, id: number | null) => string;
  /** Of Zammad's agent: as the user in Kimai that is mapped to it, else as Zammad calls it. */
  worker: (connection: string, agent: number) => string;
  /** IANA; null where the agent is not mapped. */
  zoneOf: (connection: string, agent: number) => string | null;
};

const nobody: Whose[] = [];

/** `shown`: whose names are on the page; Zammad is asked for those that no mapping names. */
export function useNames(shown: readonly Whose[] = nobody): Names {
  const { t } = useTranslation();
  const { data: mappings } = useQuery(everyMappingOptions());
  const { data: directory } = useQuery(directoryOptions());
  const workers = useMemo(() => {
    const found = new Map<string, Mapping>();
    for (const mapping of mappings ?? []) {
      if (mapping.kind === "worker") found.set(`${mapping.source}:${mapping.source_key}`, mapping);
    }
    return found;
  }, [mappings]);
  const unknown = useMemo(() => {
    const found = new Map<string, Set<number>>();
    if (!mappings) return found;
    for (const { connection, agent_id } of shown) {
      if (agent_id === null || workers.has(`${connection}:${agent_id}`)) continue;
      const ids = found.get(connection) ?? new Set();
      found.set(connection, ids.add(agent_id));
    }
    return found;
  }, [shown, mappings, workers]);
  const agents = useQueries({
    queries: [...unknown].map(([name, ids]) =>
      agentsOptions(name, [...ids].sort((a, b) => a - b).slice(0, 50)),
    ),
    combine: (answers) => answers.map(({ data }) => data?.items ?? []),
  });
  return useMemo(() => {
    const names = new Map<string, string>();
    for (const [target, found] of directory ?? []) {
      for (const { kind, id, name } of found) {
        if (name !== null) names.set(`${target}:${kind}:${id}`, name);
      }
    }
    [...unknown.keys()].forEach((connection, at) => {
      for (const { id, name } of agents[at] ?? []) {
        if (name !== null) names.set(`${connection}:agent:${id}`, name);
      }
    });
    const inKimai: Names["inKimai"] = (target, kind, id) =>
      names.get(`${target}:${kind}:${id}`) ?? t(`unnamed.${kind}`, { id: id ?? "?" });
    return {
      inKimai,
      worker: (connection, agent) => {
        const mapping = workers.get(`${connection}:${agent}`);
        if (mapping) return inKimai(mapping.target, "user", mapping.target_id);
        return names.get(`${connection}:agent:${agent}`) ?? t("unnamed.agent", { id: agent });
      },
      zoneOf: (connection, agent) => workers.get(`${connection}:${agent}`)?.time_zone ?? null,
    };
  }, [directory, workers, unknown, agents, t]);
}
