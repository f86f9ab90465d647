import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { listConnectors, listMappings, type Mapping, type Named, readDirectory } from "@/api";

const PAGES_MAX = 50;

/** All pages of a list, up to a limit: for what is looked up, not for what is shown. */
export async function everyPage<Item>(
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
    staleTime: 300_000,
    queryFn: ({ signal }) =>
      everyPage(
        async (cursor) =>
          (await listMappings({ query: { limit: 200, cursor }, signal, throwOnError: true })).data,
      ),
  });

/** What Kimai calls its users, customers, projects and activities, by connection. */
export const directoryOptions = () =>
  queryOptions({
    queryKey: [{ _id: "everyName" }],
    staleTime: 300_000,
    queryFn: async ({ signal }) => {
      const { data } = await listConnectors({ signal, throwOnError: true });
      const targets = data.items.filter(({ kind }) => kind === "kimai").map(({ name }) => name);
      const names = new Map<string, Named[]>();
      for (const name of targets) {
        const found = await everyPage(
          async (cursor) =>
            (
              await readDirectory({
                path: { name },
                query: { limit: 200, cursor },
                signal,
                throwOnError: true,
              })
            ).data,
        );
        names.set(name, found);
      }
      return names;
    },
  });

export type Place = { target: string; user_id: number; project_id: number; activity_id: number };
type Kind = "user" | "customer" | "project" | "activity";

export type Names = {
  /** Of Kimai's things; their number where nobody told us the name. */
  inKimai: (target: string | null | undefined, kind: Kind, id: number | null) => string;
  /** Of Zammad's agent: as the user in Kimai that is mapped to it. */
  worker: (connection: string, agent: number) => string;
  /** IANA; null where the agent is not mapped. */
  zoneOf: (connection: string, agent: number) => string | null;
};

export function useNames(): Names {
  const { t } = useTranslation();
  const { data: mappings } = useQuery(everyMappingOptions());
  const { data: directory } = useQuery(directoryOptions());
  return useMemo(() => {
    const workers = new Map<string, Mapping>();
    for (const mapping of mappings ?? []) {
      if (mapping.kind === "worker")
        workers.set(`${mapping.source}:${mapping.source_key}`, mapping);
    }
    const names = new Map<string, string>();
    for (const [target, found] of directory ?? []) {
      for (const { kind, id, name } of found) names.set(`${target}:${kind}:${id}`, name);
    }
    const inKimai: Names["inKimai"] = (target, kind, id) =>
      names.get(`${target}:${kind}:${id}`) ?? t(`unnamed.${kind}`, { id: id ?? "?" });
    return {
      inKimai,
      worker: (connection, agent) => {
        const mapping = workers.get(`${connection}:${agent}`);
        return mapping
          ? inKimai(mapping.target, "user", mapping.target_id)
          : t("unnamed.agent", { id: agent });
      },
      zoneOf: (connection, agent) => workers.get(`${connection}:${agent}`)?.time_zone ?? null,
    };
  }, [mappings, directory, t]);
}
