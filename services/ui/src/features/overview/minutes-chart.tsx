import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { readMinutesOptions } from "@/api/@tanstack/react-query.gen";
import { Chart, Under } from "@/components/charts/frame";
import { clockText, decimalHours } from "@/lib/durations";
import { momentText } from "@/lib/moments";

/** Of each day what Zammad has beside what Kimai holds for it. */
export function MinutesChart() {
  const { t, i18n } = useTranslation();
  const { data } = useQuery(readMinutesOptions());
  if (!data) return <div className="h-52" />;
  const hours = (seconds: number) => decimalHours(seconds, i18n.language);
  const name = (day: string) =>
    momentText(`${day}T12:00:00Z`, { zone: "UTC", language: i18n.language, style: "dayMonth" });
  const days = data.days;
  return (
    <Chart
      title={t("overview.minutes")}
      most={Math.max(...days.flatMap((d) => [d.zammad_seconds, d.kimai_seconds])) / 3600}
      unit={(value) => t("time.hours", { hours: hours(value * 3600) })}
      legend={[
        { name: "Zammad", className: "bg-zammad" },
        { name: "Kimai", className: "bg-kimai" },
      ]}
      table={{
        head: [t("entries.day"), "Zammad", "Kimai"],
        rows: days.map((d) => [d.day, clockText(d.zammad_seconds), clockText(d.kimai_seconds)]),
      }}
    >
      {(scale) => {
        const step = scale.width / days.length;
        const wide = Math.max(1, Math.min(14, step / 2 - 2));
        return (
          <>
            {days.map((d, at) => {
              const middle = scale.x((at + 0.5) / days.length);
              return (
                <g key={d.day}>
                  <title>{`${name(d.day)}: Zammad ${clockText(d.zammad_seconds)}, Kimai ${clockText(d.kimai_seconds)}`}</title>
                  <rect
                    x={middle - step / 2}
                    y={0}
                    width={step}
                    height={scale.y(0)}
                    className="fill-transparent hover:fill-hover/60"
                  />
                  <Bar
                    x={middle - wide - 0.5}
                    wide={wide}
                    top={scale.y(d.zammad_seconds / 3600)}
                    foot={scale.y(0)}
                    className="fill-zammad"
                  />
                  <Bar
                    x={middle + 0.5}
                    wide={wide}
                    top={scale.y(d.kimai_seconds / 3600)}
                    foot={scale.y(0)}
                    className="fill-kimai"
                  />
                </g>
              );
            })}
            <Under names={days.map((d) => name(d.day))} scale={scale} />
          </>
        );
      }}
    </Chart>
  );
}

function Bar({
  x,
  wide,
  top,
  foot,
  className,
}: {
  x: number;
  wide: number;
  top: number;
  foot: number;
  className: string;
}) {
  return (
    <rect
      x={x}
      y={Math.min(top, foot)}
      width={wide}
      height={Math.abs(foot - top)}
      rx={1.5}
      className={`pointer-events-none ${className}`}
    />
  );
}
