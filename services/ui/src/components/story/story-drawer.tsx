import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readEntryOptions } from "@/api/@tanstack/react-query.gen";
import { ProblemPanel } from "@/components/problem-panel";
import { SkeletonRows } from "@/components/skeleton";
import { StatusMark } from "@/components/status-mark";
import { StorySteps } from "@/components/story/story-steps";
import { buttonLook } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

/** A look at one entry without leaving the list. */
export function StoryDrawer({ entry, onClose }: { entry: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(readEntryOptions({ path: { entry } }));
  return (
    <Dialog
      edge
      open
      onOpen={(open) => !open && onClose()}
      title={data ? `#${data.ticket_number} ${data.ticket_title ?? ""}` : t("loading")}
    >
      {error && <ProblemPanel error={error} retry={refetch} />}
      {!data && !error && <SkeletonRows rows={5} />}
      {data && (
        <>
          <p className="flex items-center gap-3 pb-4">
            <StatusMark state={data.state} />
            <Link
              to="/entries/$entry"
              params={{ entry }}
              className={buttonLook({ size: "sm", className: "ml-auto" })}
            >
              {t("story.whole")}
            </Link>
          </p>
          <StorySteps story={data} folded={false} />
        </>
      )}
    </Dialog>
  );
}
