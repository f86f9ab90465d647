/** Round numbers from 0 to at least `most`, about three of them; `whole`: of what is never a part of one. */
export function ticks(most: number, whole = false): number[] {
  if (most <= 0) return [0, 1];
  const rough = Math.max(most / 3, whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  const count = Math.ceil(most / step);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}
