import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { changePreferences, type Preferences } from "@/api";
import { readMeOptions } from "@/api/@tanstack/react-query.gen";
import { type Language, speak } from "@/lib/i18n";
import { dress } from "@/lib/look";
import { onPreferred, prefer, preferred } from "@/lib/preferences";

/** As the service keeps what this browser prefers. */
const told = (views: Preferences["views"]): Preferences => ({
  language: (preferred("language") || null) as Preferences["language"],
  theme: preferred("theme") as Preferences["theme"],
  density: preferred("density") as Preferences["density"],
  time_zone: preferred("zone") === "worker" ? null : preferred("zone"),
  single_keys: preferred("keys") === "on",
  views,
});

async function wear(kept: Preferences): Promise<void> {
  if (kept.language) await speak(kept.language as Language);
  prefer("theme", kept.theme ?? "system");
  prefer("density", kept.density ?? "comfortable");
  prefer("zone", kept.time_zone ?? "worker");
  prefer("keys", kept.single_keys === false ? "off" : "on");
  dress();
}

/** A person finds what they prefer in every browser: taken over at sign-in, kept whenever it changes. */
export function useOwnPreferences(): void {
  const { data: me } = useQuery({ ...readMeOptions(), staleTime: Number.POSITIVE_INFINITY });
  useEffect(() => {
    if (!me) return;
    let kept = JSON.stringify(told(me.preferences.views));
    let stop: () => void = () => undefined;
    void wear(me.preferences).then(() => {
      kept = JSON.stringify(told(me.preferences.views));
      stop = onPreferred(() => {
        const body = told(me.preferences.views);
        if (JSON.stringify(body) === kept) return;
        kept = JSON.stringify(body);
        void changePreferences({ body }); // where it fails this browser keeps it
      });
    });
    return () => stop();
  }, [me]);
}
