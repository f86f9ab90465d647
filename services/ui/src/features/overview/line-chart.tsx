import { useTranslation } from "react-i18next";
import type { Point } from "@/api";
import { Chart, Under } from "@/components/charts/frame";
import { type MomentStyle, momentText, ownZone } from "@/lib/moments";

export type Line = { name: string; points: Point[]; stroke: string; dot: string };

/** How numbers went over time; a gap is a time in which nobody looked. */
export function LineChart({
  title,
  lines,
  unit,
  from,
  to,
  stepSeconds,
  style,
}: {
  title: string;
  lines: Line[];
  unit: (value: number) => string;
  /** Milliseconds. */
  from: number;
  to: number;
  stepSeconds: number;
  /** Of the names under the axis. */
  style: MomentStyle;
}) {
  const { t, i18n } = useTranslation();
  const name = (at: number) =>
    momentText(new Date(at), { zone: ownZone(), language: i18n.language, style });
  const part = (at: string) => (Date.parse(at) - from) / (to - from);
  const under = Array.from({ length: 6 }, (_, at) => name(from + ((at + 0.5) / 6) * (to - from)));
  const moments = [...new Set(lines.flatMap(({ points }) => points.map(({ at }) => at)))].sort();
  return (
    <Chart
      title={title}
      most={Math.max(1, ...lines.flatMap(({ points }) => points.map(({ value }) => value)))}
      unit={unit}
      whole
      legend={
        lines.length > 1
          ? lines.map(({ name: legend, dot }) => ({ name: legend, className: dot }))
          : undefined
      }
      table={{
        head: [t("story.when"), ...lines.map((line) => line.name)],
        rows: moments.map((at) => [
          name(Date.parse(at)),
          ...lines.map((line) => {
            const found = line.points.find((point) => point.at === at);
            return found ? unit(found.value) : "–";
          }),
        ]),
      }}
    >
      {(scale) => (
        <>
          {lines.map((line) => (
            <g key={line.name}>
              {stretches(line.points, stepSeconds).map((points) => (
                <polyline
                  key={points[0]?.at}
                  points={points
                    .map(({ at, value }) => `${scale.x(part(at))},${scale.y(value)}`)
                    .join(" ")}
                  fill="none"
                  strokeWidth={points[0] === points[1] ? 6 : 1.75}
                  strokeLinecap="round"
                  strokeLinejoin="round"
                  className={line.stroke}
                />
              ))}
            </g>
          ))}
          <Under names={[...new Set(under)]} scale={scale} />
        </>
      )}
    </Chart>
  );
}

/** Points that follow each other step by step. */
function stretches(points: Point[], stepSeconds: number): Point[][] {
  const found: Point[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    const at = Date.parse(point.at);
    if (at - last > stepSeconds * 2500) found.push([]);
    found.at(-1)?.push(point);
    last = at;
  }
  // a line from a point to itself is drawn as a dot
  return found.map((stretch) => (stretch.length === 1 ? [...stretch, ...stretch] : stretch));
}
