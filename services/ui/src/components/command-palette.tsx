import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Keys } from "@/components/ui/kbd";
import { type Command, commandsAtHand, recalled, remember } from "@/lib/commands";
import { languages, ownNames, speak } from "@/lib/i18n";
import { themes, wear } from "@/lib/look";
import { usePlaces } from "@/lib/places";

type Group = { value: string; items: Command[] };

export function CommandPalette({ onOpen }: { onOpen: (open: boolean) => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const places = usePlaces();
  const [text, setText] = useState("");
  const all: Group[] = [
    { value: t("palette.here"), items: commandsAtHand() },
    {
      value: t("palette.go"),
      items: places.map(({ to, name, shortcut }) => ({
        value: `go-${name}`,
        label: t(`nav.${name}`),
        shortcut,
        act: () => navigate({ to }),
      })),
    },
    {
      value: t("look.theme"),
      items: themes.map((theme) => ({
        value: `theme-${theme}`,
        label: t(`look.${theme}`),
        act: () => wear(theme),
      })),
    },
    {
      value: t("look.language"),
      items: languages.map((one) => ({
        value: `language-${one}`,
        label: ownNames[one],
        act: () => speak(one),
      })),
    },
  ];
  const find: Group = {
    value: t("palette.find"),
    items: [
      {
        value: "find",
        label: t("palette.find_entries", { text }),
        always: true,
        act: () => navigate({ to: "/entries", search: { text } }),
      },
    ],
  };
  const everything = all.flatMap(({ items }) => items);
  const recent = recalled().flatMap(
    (value) => everything.find((command) => command.value === value) ?? [],
  );
  const groups = text ? [...all, find] : [{ value: t("palette.recent"), items: recent }, ...all];

  return (
    <Dialog.Root open onOpenChange={onOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/30" />
        <Dialog.Popup
          aria-label={t("palette.title")}
          className="fixed top-[15vh] left-1/2 z-50 w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-lg border border-line bg-raised text-ink shadow-2xl outline-none"
        >
          <Autocomplete.Root
            open
            inline
            items={groups.filter(({ items }) => items.length > 0)}
            autoHighlight="always"
            keepHighlight
            value={text}
            onValueChange={setText}
            itemToStringValue={(item: Command) => item.label}
            filter={(item: Command, query) => item.always || matches(item.label, query)}
          >
            <Autocomplete.Input
              aria-label={t("palette.hint")}
              placeholder={t("palette.hint")}
              className="h-11 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-ink-faint"
            />
            <Autocomplete.Empty>
              <p className="px-2 py-6 text-center text-ink-muted">{t("palette.none")}</p>
            </Autocomplete.Empty>
            <Autocomplete.List className="max-h-80 overflow-y-auto p-1">
              {(group: Group) => (
                <Autocomplete.Group key={group.value} items={group.items}>
                  <Autocomplete.GroupLabel className="px-2 py-1.5 text-2xs font-medium text-ink-muted">
                    {group.value}
                  </Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(item: Command) => (
                      <Autocomplete.Item
                        key={item.value}
                        value={item}
                        onClick={() => {
                          onOpen(false);
                          if (!item.always) remember(item.value);
                          void item.act();
                        }}
                        className="flex h-8 cursor-default items-center gap-2 rounded-sm px-2 text-sm outline-none data-highlighted:bg-hover"
                      >
                        <span className="truncate">{item.label}</span>
                        {item.shortcut && (
                          <span className="ml-auto text-ink-muted">
                            <Keys of={item.shortcut} />
                          </span>
                        )}
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Every word somewhere in it, whatever the case and the accents. */
function matches(label: string, query: string): boolean {
  const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const whole = plain(label);
  return plain(query)
    .split(/\s+/)
    .every((word) => whole.includes(word));
}
