export const inputLook =
  "h-8 w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm placeholder:text-ink-faint disabled:opacity-50 max-md:h-9";
