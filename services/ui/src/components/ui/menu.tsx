import { Menu as Primitive } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

const item =
  "flex min-h-7 cursor-default items-center gap-2 rounded-sm px-2 text-sm outline-none data-highlighted:bg-hover data-disabled:text-ink-faint";

export function Menu({
  trigger,
  side = "bottom",
  startOpen = false,
  children,
}: {
  trigger: ReactElement;
  startOpen?: boolean;
  side?: "top" | "bottom";
  children: ReactNode;
}) {
  return (
    <Primitive.Root defaultOpen={startOpen}>
      <Primitive.Trigger render={trigger} />
      <Primitive.Portal>
        <Primitive.Positioner
          side={side}
          align="start"
          sideOffset={4}
          className="z-50 outline-none"
        >
          <Primitive.Popup className="max-h-[70vh] min-w-48 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-lg outline-none">
            {children}
          </Primitive.Popup>
        </Primitive.Positioner>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

export function MenuItem({ onClick, children }: { onClick: () => unknown; children: ReactNode }) {
  return (
    <Primitive.Item className={item} onClick={() => void onClick()}>
      {children}
    </Primitive.Item>
  );
}

/** One of a few; the menu stays open, for a look at what it does. */
export function MenuChoice({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: { value: string; label: string }[];
  onChange: (value: string) => unknown;
}) {
  return (
    <Primitive.Group>
      <Primitive.GroupLabel className="px-2 py-1 text-2xs font-medium text-ink-muted">
        {label}
      </Primitive.GroupLabel>
      <Primitive.RadioGroup value={value} onValueChange={(next) => void onChange(next)}>
        {options.map((option) => (
          <Primitive.RadioItem
            key={option.value}
            value={option.value}
            closeOnClick={false}
            className={item}
          >
            {option.label}
            <Primitive.RadioItemIndicator className="ml-auto">
              <Check className="size-3.5" aria-hidden />
            </Primitive.RadioItemIndicator>
          </Primitive.RadioItem>
        ))}
      </Primitive.RadioGroup>
    </Primitive.Group>
  );
}

export const MenuRule = () => <Primitive.Separator className="my-1 h-px bg-line" />;
