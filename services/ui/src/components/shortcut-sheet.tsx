import { useTranslation } from "react-i18next";
import { Dialog } from "@/components/ui/dialog";
import { Switch } from "@/components/ui/field";
import { Chord } from "@/components/ui/kbd";
import { prefer, usePreference } from "@/lib/preferences";
import { hint, type Shortcut, type ShortcutGroup, shortcuts } from "@/lib/shortcuts";

const groups: ShortcutGroup[] = ["everywhere", "go", "list", "decide"];
const inGroup = (group: ShortcutGroup) =>
  (Object.keys(shortcuts) as Shortcut[]).filter((name) => shortcuts[name].group === group);

export function ShortcutSheet({
  open,
  onOpen,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
}) {
  const { t } = useTranslation();
  const single = usePreference("keys") === "on";
  return (
    <Dialog open={open} onOpen={onOpen} title={t("keys.title")} edge>
      <Switch
        label={t("keys.single")}
        on={single}
        onChange={(on) => prefer("keys", on ? "on" : "off")}
      />
      {groups.map((group) => (
        <section key={group} className="pt-4">
          <h3 className="pb-1 text-xs font-medium text-ink-muted">{t(`keys.group.${group}`)}</h3>
          <dl>
            {inGroup(group).map((name) => (
              <div key={name} className="flex min-h-7 items-center gap-3 border-b border-line py-1">
                <dt className="flex-1">{t(`keys.name.${name}`)}</dt>
                {shortcuts[name].keys.map((chord) => (
                  <dd key={chord}>
                    <Chord parts={hint(chord, t("keys.space"))} />
                    <span className="sr-only">{hint(chord, t("keys.space")).join(" ")}</span>
                  </dd>
                ))}
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
