import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { usePreference } from "@/lib/preferences";
import { hint, type Shortcut, shortcuts } from "@/lib/shortcuts";

/** What to press, as the table of shortcuts has it; nothing where single keys are switched off. */
export function Keys({ of, className }: { of: Shortcut; className?: string }) {
  const { t } = useTranslation();
  const single = usePreference("keys") === "on";
  const [chord] = shortcuts[of].keys;
  if (!single && !chord.startsWith("Mod ")) return null;
  return <Chord parts={hint(chord, t("keys.space"))} className={className} />;
}

export function Chord({ parts, className }: { parts: string[]; className?: string }) {
  return (
    <span aria-hidden className={cn("inline-flex gap-0.5", className)}>
      {parts.map((part) => (
        <kbd
          key={part}
          className="min-w-4 rounded-sm border border-current/25 px-1 text-center font-sans text-2xs font-normal"
        >
          {part}
        </kbd>
      ))}
    </span>
  );
}
