export type Pick = { value: string; label: string; hint?: string };

export type PickerProps = {
  label: string;
  value: Pick | null;
  items: Pick[];
  onPick: (item: Pick | null) => void;
  placeholder?: string;
  className?: string;
};

/** Of a picker before and after somebody reached for it: the same. */
export const pickerLook = {
  group:
    "relative h-8 rounded-md border border-line-strong bg-surface focus-within:outline-2 focus-within:outline-accent max-md:h-9",
  input: "size-full bg-transparent pr-8 pl-2.5 text-sm outline-none placeholder:text-ink-faint",
  trigger: "absolute inset-y-0 right-0 grid w-8 place-items-center text-ink-faint",
};
