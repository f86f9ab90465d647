/**
 * What is selected in a list: some by name, or everything that its filters find.
 * `from` is where a range began.
 */
export type Selection = { ids: ReadonlySet<string>; all: boolean; from: string | null };
export const nothing: Selection = { ids: new Set(), all: false, from: null };

export function toggled(was: Selection, id: string): Selection {
  const ids = new Set(was.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, all: false, from: id };
}

/** Everything between where the range began and here, in the order of the list. */
export function ranged(was: Selection, to: string, order: readonly string[]): Selection {
  const [a, b] = [order.indexOf(was.from ?? to), order.indexOf(to)].sort((x, y) => x - y);
  if (a === undefined || b === undefined || a < 0) return toggled(was, to);
  return {
    ids: new Set([...was.ids, ...order.slice(a, b + 1)]),
    all: false,
    from: was.from ?? to,
  };
}

export const every = (order: readonly string[]): Selection => ({
  ids: new Set(order),
  all: false,
  from: null,
});

/** Without what is no longer there to be selected. */
export function kept(was: Selection, order: readonly string[]): Selection {
  const there = new Set(order);
  const ids = new Set([...was.ids].filter((id) => there.has(id)));
  return ids.size === was.ids.size ? was : { ...was, ids, all: was.all && ids.size > 0 };
}
