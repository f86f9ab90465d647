import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export const buttonLook = cva(
  "inline-flex items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors duration-75 disabled:opacity-50 [&_svg]:size-3.5 [&_svg]:shrink-0",
  {
    variants: {
      kind: {
        primary: "bg-accent text-accent-ink not-disabled:hover:bg-accent/90",
        plain: "border border-line bg-surface text-ink not-disabled:hover:bg-hover",
        quiet: "text-ink-muted not-disabled:hover:bg-hover not-disabled:hover:text-ink",
        danger: "border border-line bg-surface text-bad not-disabled:hover:bg-bad-soft",
      },
      size: {
        sm: "h-7 px-2 text-xs",
        md: "h-8 px-2.5 text-sm max-md:h-9",
        icon: "size-7 max-md:size-9",
      },
    },
    defaultVariants: { kind: "plain", size: "md" },
  },
);

export type ButtonLook = VariantProps<typeof buttonLook>;

export function Button({ className, kind, size, ...rest }: ComponentProps<"button"> & ButtonLook) {
  return <button type="button" className={cn(buttonLook({ kind, size }), className)} {...rest} />;
}
