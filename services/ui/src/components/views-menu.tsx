import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { type ReactElement, useState } from "react";
import { useTranslation } from "react-i18next";
import { changePreferences, type SavedView } from "@/api";
import { readMeOptions, readMeQueryKey } from "@/api/@tanstack/react-query.gen";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { TextField } from "@/components/ui/field";
import { Menu, MenuItem, MenuRule } from "@/components/ui/menu";

export type View<Search> = { name: string; search: Search };

/** Filters that are always there, and those that a person has kept under a name. */
export function ViewsMenu<Search extends object>({
  face,
  page,
  search,
  builtIn,
  onGo,
}: {
  face: ReactElement;
  page: SavedView["page"];
  /** What is shown now. */
  search: Search;
  builtIn: View<Search>[];
  onGo: (search: Search) => void;
}) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [naming, setNaming] = useState(false);
  const { data: me } = useQuery({ ...readMeOptions(), staleTime: Number.POSITIVE_INFINITY });
  const views = me?.preferences.views ?? [];
  const mine = views.filter((view) => view.page === page);

  async function keep(next: SavedView[]) {
    if (!me) return;
    await changePreferences({ body: { ...me.preferences, views: next } });
    await queries.invalidateQueries({ queryKey: readMeQueryKey() });
  }
  return (
    <>
      <Menu startOpen trigger={face}>
        {builtIn.map((view) => (
          <MenuItem key={view.name} onClick={() => onGo(view.search)}>
            {view.name}
          </MenuItem>
        ))}
        {mine.length > 0 && <MenuRule />}
        {mine.map((view) => (
          <MenuItem key={view.name} onClick={() => onGo(parsed(view.search) as Search)}>
            {view.name}
          </MenuItem>
        ))}
        <MenuRule />
        <MenuItem onClick={() => setNaming(true)}>{t("views.keep")}</MenuItem>
      </Menu>
      {naming && (
        <Dialog open onOpen={setNaming} title={t("views.keep")}>
          <form
            className="flex flex-col gap-4"
            onSubmit={(event) => {
              event.preventDefault();
              const name = String(new FormData(event.currentTarget).get("name")).trim();
              const others = views.filter((one) => one.page !== page || one.name !== name);
              void keep([...others, { name, page, search: JSON.stringify(search) }]);
              setNaming(false);
            }}
          >
            <TextField label={t("views.name")} name="name" required maxLength={60} />
            {mine.length > 0 && (
              <ul className="rounded-lg border border-line">
                {mine.map((view) => (
                  <li
                    key={view.name}
                    className="flex items-center border-b border-line px-3 last:border-0"
                  >
                    <span className="flex-1 truncate">{view.name}</span>
                    <Button
                      kind="quiet"
                      size="icon"
                      aria-label={t("views.forget", { name: view.name })}
                      onClick={() => void keep(views.filter((one) => one !== view))}
                    >
                      <Trash2 aria-hidden />
                    </Button>
                  </li>
                ))}
              </ul>
            )}
            <Button type="submit" kind="primary" className="self-end">
              {t("do.save")}
            </Button>
          </form>
        </Dialog>
      )}
    </>
  );
}

function parsed(search: string): object {
  try {
    const found: unknown = JSON.parse(search);
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}
