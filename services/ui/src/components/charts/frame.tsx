import { type ReactNode, useEffect, useRef, useState } from "react";
import { ticks } from "@/lib/ticks";

const HEIGHT = 160;
const LEFT = 44;
const BELOW = 22;

export type Scale = { width: number; x: (part: number) => number; y: (value: number) => number };

/**
 * A picture for the eye; what it shows stands in `table` for the ear.
 * Drawn in real pixels, so that its text is as large as all other text.
 */
export function Chart({
  title,
  most,
  unit,
  whole = false,
  legend,
  table,
  children,
}: {
  title: string;
  /** The largest value. */
  most: number;
  /** A value on the axis, in words. */
  unit: (value: number) => string;
  /** Values are counted, not measured. */
  whole?: boolean;
  legend?: { name: string; className: string }[];
  table: { head: string[]; rows: (string | number)[][] };
  children: (scale: Scale) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(240, Math.floor(entry.contentRect.width)));
    });
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const axis = ticks(most, whole);
  const top = axis.at(-1) ?? 1;
  const scale: Scale = {
    width: width - LEFT,
    x: (part) => LEFT + part * (width - LEFT),
    y: (value) => 8 + (HEIGHT - 8) * (1 - value / top),
  };
  return (
    <figure ref={box} className="min-w-0">
      <figcaption className="flex flex-wrap items-center gap-x-4 pb-2">
        <span className="flex-1 font-semibold">{title}</span>
        {legend?.map(({ name, className }) => (
          <span key={name} className="inline-flex items-center gap-1.5 text-xs text-ink-muted">
            <span aria-hidden className={`size-2.5 rounded-xs ${className}`} /> {name}
          </span>
        ))}
      </figcaption>
      <svg
        width={width}
        height={HEIGHT + BELOW}
        aria-hidden="true"
        focusable="false"
        className="block max-w-full"
      >
        {axis.map((value) => (
          <g key={value}>
            <line
              x1={LEFT}
              x2={width}
              y1={scale.y(value)}
              y2={scale.y(value)}
              className={value === 0 ? "stroke-line-strong" : "stroke-line"}
            />
            <text
              x={LEFT - 6}
              y={scale.y(value) + 4}
              textAnchor="end"
              className="fill-ink-muted text-2xs tabular-nums"
            >
              {unit(value)}
            </text>
          </g>
        ))}
        {children(scale)}
      </svg>
      <table className="sr-only">
        <caption>{title}</caption>
        <thead>
          <tr>
            {table.head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map(([first, ...rest]) => (
            <tr key={first}>
              <th scope="row">{first}</th>
              {rest.map((value, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the column is the identity
                <td key={at}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** Names under the axis, as many as there is room for. */
export function Under({ names, scale }: { names: string[]; scale: Scale }) {
  const every = Math.max(1, Math.ceil((names.length * 56) / scale.width));
  return names.map(
    (name, at) =>
      at % every === 0 && (
        <text
          key={name}
          x={scale.x((at + 0.5) / names.length)}
          y={HEIGHT + 16}
          textAnchor="middle"
          className="fill-ink-muted text-2xs tabular-nums"
        >
          {name}
        </text>
      ),
  );
}
