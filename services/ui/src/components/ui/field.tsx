import { Field as Primitive } from "@base-ui/react/field";
import { Switch as SwitchPrimitive } from "@base-ui/react/switch";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";
import { inputLook } from "./input-look";

/** A labelled input with what it is for, and what is wrong with it. */
export function TextField({
  label,
  hint,
  wrong,
  className,
  ...rest
}: ComponentProps<"input"> & { label: ReactNode; hint?: ReactNode; wrong?: ReactNode }) {
  return (
    <Primitive.Root invalid={Boolean(wrong)} className={cn("flex flex-col gap-1", className)}>
      <Primitive.Label className="text-xs font-medium">{label}</Primitive.Label>
      <Primitive.Control className={cn(inputLook, wrong && "border-bad")} {...rest} />
      {hint && (
        <Primitive.Description className="text-xs text-ink-muted">{hint}</Primitive.Description>
      )}
      {wrong && (
        <p role="alert" className="text-xs text-bad">
          {wrong}
        </p>
      )}
    </Primitive.Root>
  );
}

export function Switch({
  label,
  on,
  onChange,
  disabled = false,
}: {
  label: ReactNode;
  on: boolean;
  onChange: (on: boolean) => void;
  disabled?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the switch inside is a labelable button with an input of its own
    <label className="flex items-center gap-2 text-sm">
      <SwitchPrimitive.Root
        checked={on}
        disabled={disabled}
        onCheckedChange={onChange}
        className="flex h-5 w-9 shrink-0 items-center rounded-full bg-line-strong px-0.5 data-checked:bg-accent data-disabled:opacity-50"
      >
        <SwitchPrimitive.Thumb className="size-4 rounded-full bg-surface transition-transform duration-75 data-checked:translate-x-4" />
      </SwitchPrimitive.Root>
      {label}
    </label>
  );
}
