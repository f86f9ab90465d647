import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { Search, SlidersHorizontal } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { LiveBadge } from "@/components/live-badge";
import { Button } from "@/components/ui/button";
import { Keys } from "@/components/ui/kbd";
import { Reached } from "@/components/ui/reached";
import { useOwnPreferences } from "@/lib/own";
import { usePlaces } from "@/lib/places";
import { useAnythingTold } from "@/lib/tell";
import { useNeedsYou } from "@/lib/use-needs-you";
import { useKeyboard, useShortcuts } from "@/lib/use-shortcuts";

const CommandPalette = lazy(() =>
  import("@/components/command-palette").then((all) => ({ default: all.CommandPalette })),
);
const ownMenu = () => import("@/components/own-menu").then((all) => ({ default: all.OwnMenu }));
const OwnMenu = lazy(ownMenu);
const Toasts = lazy(() =>
  import("@/components/ui/toasts").then((all) => ({ default: all.Toasts })),
);
const ShortcutSheet = lazy(() =>
  import("@/components/shortcut-sheet").then((all) => ({ default: all.ShortcutSheet })),
);

/** What every page has round it. */
export function Shell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [palette, setPalette] = useState(false);
  const [sheet, setSheet] = useState(false);
  const places = usePlaces();
  const needsYou = useNeedsYou();
  const told = useAnythingTold();
  const face = (
    <Button kind="quiet" size="sm" className="justify-start max-md:size-9 max-md:px-0">
      <SlidersHorizontal aria-hidden />
      <span className="max-md:sr-only">{t("look.title")}</span>
    </Button>
  );
  useKeyboard();
  useOwnPreferences();
  useShortcuts({
    palette: () => setPalette((was) => !was),
    help: () => setSheet(true),
    ...Object.fromEntries(places.map(({ shortcut, to }) => [shortcut, () => navigate({ to })])),
  });
  return (
    <div className="grid h-full grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[13rem_minmax(0,1fr)] md:grid-rows-1">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        {t("nav.skip")}
      </a>
      <header className="flex min-w-0 items-center gap-1 border-b border-line p-2 md:flex-col md:items-stretch md:border-r md:border-b-0">
        <Link
          to="/"
          className="flex items-center gap-2 rounded-md px-2 py-1.5 font-semibold max-md:px-1"
        >
          <img src="/favicon.svg" alt="" className="size-4" />
          <span className="max-md:sr-only">Hourbook</span>
        </Link>
        <Button
          size="sm"
          className="justify-start max-md:size-9 max-md:justify-center max-md:border-transparent max-md:px-0 md:my-2"
          onClick={() => setPalette(true)}
        >
          <Search aria-hidden />
          <span className="truncate text-ink-muted max-md:sr-only">{t("palette.hint")}</span>
          <Keys of="palette" className="ml-auto text-ink-muted max-md:hidden" />
        </Button>
        <nav
          aria-label={t("nav.main")}
          className="relative flex min-w-0 gap-0.5 overflow-x-auto max-md:pr-6 max-md:[mask-image:linear-gradient(to_right,black_calc(100%-1.5rem),transparent)] md:flex-col"
        >
          {places.map(({ to, name, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ exact: to === "/", includeSearch: false }}
              className="flex h-7 items-center gap-2 rounded-md px-2 text-ink-muted hover:bg-hover hover:text-ink data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-ink max-md:size-9 max-md:shrink-0 max-md:justify-center max-md:px-0"
            >
              {({ isActive }) => (
                <>
                  <InView when={isActive} />
                  <Icon className="size-4 shrink-0" aria-hidden />
                  <span className="truncate max-md:sr-only">{t(`nav.${name}`)}</span>
                  {name === "conflicts" && needsYou > 0 && (
                    <span className="ml-auto text-xs font-medium text-warn tabular-nums max-md:hidden">
                      {needsYou}
                      <span className="sr-only"> {t("nav.open")}</span>
                    </span>
                  )}
                </>
              )}
            </Link>
          ))}
        </nav>
        <div className="flex items-center gap-1 max-md:ml-auto md:mt-auto md:flex-col md:items-stretch">
          <Reached face={face} load={ownMenu}>
            <OwnMenu face={face} onKeys={() => setSheet(true)} />
          </Reached>
          <LiveBadge />
        </div>
      </header>
      <main
        id="content"
        tabIndex={-1}
        className="relative flex min-h-0 min-w-0 flex-col overflow-auto bg-surface outline-none"
      >
        <Outlet />
      </main>
      <Suspense>
        {told && <Toasts />}
        {palette && <CommandPalette onOpen={setPalette} />}
        {sheet && <ShortcutSheet open={sheet} onOpen={setSheet} />}
      </Suspense>
    </div>
  );
}

/** Brings what it stands in into view: on a phone not all places fit beside each other. */
function InView({ when }: { when: boolean }) {
  const here = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (when) here.current?.parentElement?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [when]);
  return <span ref={here} hidden />;
}
