import { Combobox as Primitive } from "@base-ui/react/combobox";
import { ChevronDown } from "lucide-react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";

export type Pick = { value: string; label: string; hint?: string };

/** One of many, found by typing. */
export function Picker({
  label,
  value,
  items,
  onPick,
  placeholder,
  className,
}: {
  label: string;
  value: Pick | null;
  items: Pick[];
  onPick: (item: Pick | null) => void;
  placeholder?: string;
  className?: string;
}) {
  const { t } = useTranslation();
  return (
    <Primitive.Root
      items={items}
      value={value}
      onValueChange={(next) => onPick(next)}
      isItemEqualToValue={(a: Pick, b: Pick) => a.value === b.value}
    >
      <Primitive.InputGroup
        className={cn(
          "relative h-8 rounded-md border border-line-strong bg-surface focus-within:outline-2 focus-within:outline-accent max-md:h-9",
          className,
        )}
      >
        <Primitive.Input
          aria-label={label}
          placeholder={placeholder}
          className="size-full bg-transparent pr-8 pl-2.5 text-sm outline-none placeholder:text-ink-faint"
        />
        <Primitive.Trigger
          aria-label={t("do.choose", { what: label })}
          className="absolute inset-y-0 right-0 grid w-8 place-items-center text-ink-faint"
        >
          <ChevronDown className="size-3.5" aria-hidden />
        </Primitive.Trigger>
      </Primitive.InputGroup>
      <Primitive.Portal>
        <Primitive.Positioner sideOffset={4} className="z-50 outline-none">
          <Primitive.Popup className="max-h-72 w-(--anchor-width) min-w-56 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-lg">
            <Primitive.Empty>
              <p className="px-2 py-3 text-center text-ink-muted empty:hidden">
                {t("palette.none")}
              </p>
            </Primitive.Empty>
            <Primitive.List>
              {(item: Pick) => (
                <Primitive.Item
                  key={item.value}
                  value={item}
                  className="flex min-h-7 cursor-default items-center gap-2 rounded-sm px-2 text-sm outline-none data-highlighted:bg-hover data-selected:font-medium"
                >
                  <span className="truncate">{item.label}</span>
                  {item.hint && (
                    <span className="ml-auto truncate text-xs text-ink-muted">{item.hint}</span>
                  )}
                </Primitive.Item>
              )}
            </Primitive.List>
          </Primitive.Popup>
        </Primitive.Positioner>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
