import { useRef } from "react";

/** What was there keeps its place, what came since stands behind it: nobody's row moves under their hands. */
export function inOrder<Row>(
  before: readonly string[],
  rows: readonly Row[],
  idOf: (row: Row) => string,
): Row[] {
  const places = new Map(before.map((id, at) => [id, at]));
  const placeOf = (row: Row) => places.get(idOf(row)) ?? before.length;
  return [...rows].sort((a, b) => placeOf(a) - placeOf(b));
}

/** The order in which rows were first seen, as long as the list is on the page. */
export function useOrder<Row>(rows: readonly Row[], idOf: (row: Row) => string): Row[] {
  const seen = useRef<string[]>([]);
  const ordered = inOrder(seen.current, rows, idOf);
  seen.current = ordered.map(idOf);
  return ordered;
}
