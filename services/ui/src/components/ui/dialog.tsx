import { Dialog as Primitive } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { Button } from "./button";

/** In the middle of the page, or at its right edge; focus comes back to where it was. */
export function Dialog({
  open,
  onOpen,
  title,
  edge = false,
  finalFocus,
  children,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  title: ReactNode;
  edge?: boolean;
  finalFocus?: RefObject<HTMLElement | null>;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <Primitive.Root open={open} onOpenChange={(next) => onOpen(next)}>
      <Primitive.Portal>
        <Primitive.Backdrop className="fixed inset-0 z-40 bg-black/30" />
        <Primitive.Popup
          finalFocus={finalFocus}
          className={cn(
            "fixed z-50 flex flex-col overflow-hidden border-line bg-raised text-ink shadow-2xl outline-none",
            edge
              ? "inset-y-0 right-0 w-[min(34rem,100vw)] border-l"
              : "top-[12vh] left-1/2 max-h-[76vh] w-[min(34rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border",
          )}
        >
          <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line px-4">
            <Primitive.Title className="min-w-0 flex-1 truncate text-lg font-semibold">
              {title}
            </Primitive.Title>
            <Primitive.Close
              render={
                <Button kind="quiet" size="icon" aria-label={t("do.close")}>
                  <X aria-hidden />
                </Button>
              }
            />
          </header>
          <div className="min-h-0 overflow-y-auto p-4">{children}</div>
        </Primitive.Popup>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
