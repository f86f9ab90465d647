import { ChevronLeft } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

/** Side by side; where there is little room the one or the other. */
export function ListAndDetail({
  list,
  detail,
  back,
}: {
  list: ReactNode;
  /** Null while nothing is chosen. */
  detail: ReactNode;
  back: () => void;
}) {
  const { t } = useTranslation();
  const chosen = detail !== null;
  return (
    <div className="grid min-h-0 flex-1 md:grid-cols-[20rem_minmax(0,1fr)]">
      <div
        className={cn(
          "flex min-h-0 min-w-0 flex-col border-line md:border-r",
          chosen && "max-md:hidden",
        )}
      >
        {list}
      </div>
      <div className={cn("min-h-0 min-w-0 overflow-auto", !chosen && "max-md:hidden")}>
        {chosen && (
          <div className="border-b border-line px-2 py-1 md:hidden">
            <Button kind="quiet" onClick={back}>
              <ChevronLeft aria-hidden /> {t("do.back")}
            </Button>
          </div>
        )}
        {detail}
      </div>
    </div>
  );
}
