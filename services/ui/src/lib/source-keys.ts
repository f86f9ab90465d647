import { queryOptions, useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Mapping, readDirectory } from "@/api";

const MINUTES = 60_000;
const ASKED_MAX = 200;
const named = ["agent", "organization"] as const;
type NamedKind = (typeof named)[number];
export type Keyed = Pick<Mapping, "kind" | "source" | "source_key">;

/** What Zammad has a name for that it tells: agents and organizations. */
function namedBy({ kind, source_key }: Keyed): { kind: NamedKind; id: number } | null {
  const id = Number(source_key.replace("organization:", ""));
  if (!Number.isInteger(id)) return null;
  if (kind === "worker") return { kind: "agent", id };
  return source_key.startsWith("organization:") ? { kind: "organization", id } : null;
}

const namesOptions = (name: string, kind: NamedKind, id: number[]) =>
  queryOptions({
    queryKey: [{ _id: "sourceNames", name, kind, id }],
    staleTime: 5 * MINUTES,
    retry: false,
    queryFn: async ({ signal }) => {
      const query = { kind, id };
      const answer = await readDirectory({ path: { name }, query, signal, throwOnError: true });
      return answer.data.items;
    },
  });

const none: Keyed[] = [];

/**
 * What a mapping's key says: `organization:2`, `customer:9`, `default`, `none`, or a number.
 * `shown`: whose names are wanted; without an answer of Zammad's it is the number.
 */
export function useSourceKey(shown: readonly Keyed[] = none): (keyed: Keyed) => string {
  const { t } = useTranslation();
  const wanted = useMemo(() => {
    const found = new Map<string, { name: string; kind: NamedKind; ids: Set<number> }>();
    for (const one of shown) {
      const about = namedBy(one);
      if (!about) continue;
      const group = `${one.source} ${about.kind}`;
      const known = found.get(group) ?? { name: one.source, kind: about.kind, ids: new Set() };
      found.set(group, { ...known, ids: known.ids.add(about.id) });
    }
    return [...found.values()];
  }, [shown]);
  const names = useQueries({
    queries: wanted.map(({ name, kind, ids }) =>
      namesOptions(name, kind, [...ids].sort((a, b) => a - b).slice(0, ASKED_MAX)),
    ),
    combine: (answers) => {
      const found = new Map<string, string>();
      answers.forEach(({ data }, at) => {
        for (const { kind, id, name } of data ?? []) {
          if (name !== null) found.set(`${wanted[at]?.name} ${kind} ${id}`, name);
        }
      });
      return found;
    },
  });
  return (keyed) => {
    const about = namedBy(keyed);
    const name = about && names.get(`${keyed.source} ${about.kind} ${about.id}`);
    if (name) return name;
    const { kind, source_key: key } = keyed;
    const [what, id] = key.includes(":") ? key.split(":") : [undefined, key];
    if (key === "default") return t("mapping.key.default");
    if (key === "none") return t("mapping.key.none");
    if (what === "organization") return t("mapping.key.organization", { id });
    if (what === "customer") return t("mapping.key.customer", { id });
    if (kind === "worker") return t("mapping.key.agent", { id });
    if (kind === "activity") return t("mapping.key.type", { id });
    return key;
  };
}
