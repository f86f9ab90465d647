import { ChevronDown } from "lucide-react";
import { cn } from "@/lib/cn";

export type Option = { value: string; label: string };

/** One of a few. The browser's own list: it fits every screen, keyboard and reader, and weighs nothing. */
export function Select({
  label,
  value,
  options,
  onChange,
  disabled = false,
  className,
}: {
  label: string;
  value: string;
  options: Option[];
  onChange: (value: string) => void;
  disabled?: boolean;
  className?: string;
}) {
  return (
    <label
      className={cn(
        "relative inline-flex h-8 items-center rounded-md border border-line bg-surface text-sm hover:bg-hover max-md:h-9",
        disabled && "opacity-50",
        className,
      )}
    >
      <span className="pl-2.5 whitespace-nowrap text-ink-muted">{label}</span>
      <select
        value={value}
        disabled={disabled}
        onChange={({ target }) => onChange(target.value)}
        className="h-full min-w-0 flex-1 appearance-none truncate rounded-md bg-transparent pr-7 pl-1.5"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} className="bg-raised text-ink">
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown
        className="pointer-events-none absolute right-2 size-3.5 text-ink-faint"
        aria-hidden
      />
    </label>
  );
}
