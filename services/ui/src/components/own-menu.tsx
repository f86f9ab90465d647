import { Keyboard, LogOut } from "lucide-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Keys } from "@/components/ui/kbd";
import { Menu, MenuChoice, MenuItem, MenuRule } from "@/components/ui/menu";
import { type Language, languages, ownNames, speak } from "@/lib/i18n";
import { type Density, densities, pack, type Theme, themes, wear } from "@/lib/look";
import { ownZone } from "@/lib/moments";
import { prefer, usePreference } from "@/lib/preferences";
import { leave } from "@/lib/session";

/** What a person likes: language, look, whose clock; and the way out. */
export function OwnMenu({ face, onKeys }: { face: ReactElement; onKeys: () => void }) {
  const { t, i18n } = useTranslation();
  const theme = usePreference("theme");
  const zone = usePreference("zone");
  const density = usePreference("density");
  return (
    <Menu side="top" startOpen trigger={face}>
      <MenuChoice
        label={t("look.language")}
        value={i18n.language}
        options={languages.map((value) => ({ value, label: ownNames[value] }))}
        onChange={(language) => speak(language as Language)}
      />
      <MenuRule />
      <MenuChoice
        label={t("look.theme")}
        value={theme}
        options={themes.map((value) => ({ value, label: t(`look.${value}`) }))}
        onChange={(next) => wear(next as Theme)}
      />
      <MenuRule />
      <MenuChoice
        label={t("look.density")}
        value={density}
        options={densities.map((value) => ({ value, label: t(`look.${value}`) }))}
        onChange={(next) => pack(next as Density)}
      />
      <MenuRule />
      <MenuChoice
        label={t("look.zone")}
        value={zone}
        options={[
          { value: "worker", label: t("look.zone_worker") },
          { value: "own", label: t("look.zone_own", { zone: ownZone() }) },
          { value: "UTC", label: "UTC" },
        ]}
        onChange={(next) => prefer("zone", next)}
      />
      <MenuRule />
      <MenuItem onClick={onKeys}>
        <Keyboard className="size-3.5" aria-hidden /> {t("keys.title")}
        <Keys of="help" className="ml-auto" />
      </MenuItem>
      <MenuItem onClick={leave}>
        <LogOut className="size-3.5" aria-hidden /> {t("login.out")}
      </MenuItem>
    </Menu>
  );
}
