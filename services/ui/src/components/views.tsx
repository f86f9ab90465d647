import { Bookmark } from "lucide-react";
import { lazy } from "react";
import { useTranslation } from "react-i18next";
import type { SavedView } from "@/api";
import { Button } from "@/components/ui/button";
import { Reached } from "@/components/ui/reached";

const load = () => import("@/components/views-menu").then((all) => ({ default: all.ViewsMenu }));
const ViewsMenu = lazy(load);

/** Filters under a name: those that are always there, and a person's own. */
export function Views<Search extends object>({
  page,
  search,
  builtIn,
  onGo,
}: {
  page: SavedView["page"];
  /** What is shown now. */
  search: Search;
  builtIn: { name: string; search: Search }[];
  onGo: (search: Search) => void;
}) {
  const { t } = useTranslation();
  const face = (
    <Button>
      <Bookmark aria-hidden /> {t("views.title")}
    </Button>
  );
  return (
    <Reached face={face} load={load}>
      <ViewsMenu
        face={face}
        page={page}
        search={search}
        builtIn={builtIn}
        onGo={(next) => onGo(next as Search)}
      />
    </Reached>
  );
}
