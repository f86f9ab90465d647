import { Select as Primitive } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import { cn } from "@/lib/cn";

export type Option = { value: string; label: string };

/** One of a few. `label` is its name; `bare`: the name stands elsewhere, as in a form. */
export function Select({
  label,
  value,
  options,
  onChange,
  bare = false,
  disabled = false,
  className,
}: {
  label: string;
  value: string;
  options: Option[];
  onChange: (value: string) => void;
  bare?: boolean;
  disabled?: boolean;
  className?: string;
}) {
  return (
    <Primitive.Root
      items={options}
      value={value}
      disabled={disabled}
      onValueChange={(next) => next !== null && onChange(next)}
    >
      <Primitive.Trigger
        aria-label={label}
        className={cn(
          "inline-flex h-8 items-center gap-1.5 rounded-md border border-line bg-surface px-2.5 text-sm hover:bg-hover disabled:opacity-50 max-md:h-9",
          bare && "border-line-strong",
          className,
        )}
      >
        {!bare && <span className="text-ink-muted">{label}</span>}
        <Primitive.Value className="truncate" />
        <ChevronDown className="ml-auto size-3.5 shrink-0 text-ink-faint" aria-hidden />
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Positioner
          className="z-50 outline-none"
          sideOffset={4}
          alignItemWithTrigger={false}
        >
          <Primitive.Popup className="max-h-80 min-w-40 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-lg outline-none">
            <Primitive.List>
              {options.map((option) => (
                <Primitive.Item
                  key={option.value}
                  value={option.value}
                  className="flex min-h-7 cursor-default items-center gap-2 rounded-sm px-2 text-sm outline-none data-highlighted:bg-hover"
                >
                  <Primitive.ItemText>{option.label}</Primitive.ItemText>
                  <Primitive.ItemIndicator className="ml-auto">
                    <Check className="size-3.5" aria-hidden />
                  </Primitive.ItemIndicator>
                </Primitive.Item>
              ))}
            </Primitive.List>
          </Primitive.Popup>
        </Primitive.Positioner>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
