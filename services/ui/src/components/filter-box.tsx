import { Search } from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { inputLook } from "@/components/ui/input-look";
import { Keys } from "@/components/ui/kbd";
import { cn } from "@/lib/cn";
import { useShortcuts } from "@/lib/use-shortcuts";

/** One line to narrow a list by: `/` goes there, `Enter` says it, `Esc` leaves. */
export function FilterBox({ hint, onSay }: { hint: string; onSay: (line: string) => void }) {
  const { t } = useTranslation();
  const box = useRef<HTMLInputElement>(null);
  useShortcuts({ filter: () => box.current?.focus() });
  return (
    <search className="relative w-72 max-md:w-full">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const line = box.current?.value.trim();
          if (line && box.current) {
            onSay(line);
            box.current.value = "";
          }
        }}
      >
        <Search className="absolute top-2.5 left-2.5 size-3.5 text-ink-faint" aria-hidden />
        <input
          ref={box}
          type="search"
          aria-label={t("filter.box")}
          placeholder={hint}
          className={cn(inputLook, "h-9 pl-8 md:h-8")}
          onKeyDown={(event) => event.key === "Escape" && box.current?.blur()}
        />
        <Keys of="filter" className="absolute top-2 right-2 text-ink-muted max-md:hidden" />
      </form>
    </search>
  );
}
