import { useRef, useState } from "react";

export type Steady<Row> = { row: Row; gone: boolean };

/**
 * What a list shows while its truth moves: rows stay where they are and change in place, what is gone
 * stays until the person wants the new, and what is new waits to be asked for. What comes after the
 * last shown row was asked for by scrolling and is shown.
 */
export function steady<Row>(
  shown: readonly Row[],
  truth: readonly Row[],
  idOf: (row: Row) => string,
): { rows: Steady<Row>[]; fresh: number } {
  const now = new Map(truth.map((row) => [idOf(row), row]));
  const known = new Set(shown.map(idOf));
  const lastKnown = truth.findLastIndex((row) => known.has(idOf(row)));
  const rows = shown.map((row) => {
    const found = now.get(idOf(row));
    return { row: found ?? row, gone: found === undefined };
  });
  const tail = lastKnown < 0 && shown.length > 0 ? [] : truth.slice(lastKnown + 1);
  const fresh = truth.filter((row) => !known.has(idOf(row))).length - tail.length;
  return { rows: [...rows, ...tail.map((row) => ({ row, gone: false }))], fresh };
}

/** `of`: what the list was asked for; another question is another list. */
export function useSteady<Row>(
  truth: readonly Row[] | undefined,
  of: string,
  idOf: (row: Row) => string,
): { rows: Steady<Row>[] | undefined; fresh: number; gone: number; renew: () => void } {
  const [, setTurn] = useState(0);
  const shown = useRef<{ of: string; rows: Row[] } | null>(null);
  if (truth === undefined) return { rows: undefined, fresh: 0, gone: 0, renew: () => undefined };
  if (shown.current?.of !== of) shown.current = { of, rows: [...truth] };
  const { rows, fresh } = steady(shown.current.rows, truth, idOf);
  shown.current.rows = rows.map(({ row }) => row);
  return {
    rows,
    fresh,
    gone: rows.filter(({ gone }) => gone).length,
    renew: () => {
      shown.current = { of, rows: [...truth] };
      setTurn((turn) => turn + 1);
    },
  };
}
