import { Combobox as Primitive } from "@base-ui/react/combobox";
import { ChevronDown } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { type Pick, type PickerProps, pickerLook } from "./picker-look";

/** What a picker becomes when somebody reaches for it. */
export function PickerList({
  label,
  value,
  items,
  onPick,
  placeholder,
  className,
  opened,
}: PickerProps & { opened: boolean }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // whoever reached for it is here; whoever went on meanwhile is not called back
    if (document.activeElement === document.body) input.current?.focus();
  }, []);
  return (
    <Primitive.Root
      defaultOpen={opened}
      items={items}
      value={value}
      onValueChange={(next) => onPick(next)}
      isItemEqualToValue={(a: Pick, b: Pick) => a.value === b.value}
    >
      <Primitive.InputGroup className={cn(pickerLook.group, className)}>
        <Primitive.Input
          ref={input}
          aria-label={label}
          placeholder={placeholder}
          className={pickerLook.input}
        />
        <Primitive.Trigger
          aria-label={t("do.choose", { what: label })}
          className={pickerLook.trigger}
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
