import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import * as z from "zod/mini";
import {
  listConnectorsOptions,
  readEntryOptions,
  syncStatusOptions,
} from "@/api/@tanstack/react-query.gen";
import { entriesOptions, entriesSearch } from "@/features/entries/entries-search";
import { whoIsIn } from "@/lib/session";
import { Shell } from "@/shell";

const root = createRootRouteWithContext<{ queries: QueryClient }>()();

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: z.object({
    from: z.catch(z.optional(z.string()), undefined),
    invitation: z.catch(z.optional(z.string()), undefined),
  }),
  component: lazyRouteComponent(() => import("@/features/login/login-page"), "LoginPage"),
});

/** Everything but the login is for people we know. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  beforeLoad: async ({ location }) => {
    if (!(await whoIsIn())) throw redirect({ to: "/login", search: { from: location.href } });
  },
});

const overview = createRoute({
  getParentRoute: () => inside,
  path: "/",
  loader: ({ context: { queries } }) => queries.prefetchQuery(syncStatusOptions()),
  component: lazyRouteComponent(() => import("@/features/overview/overview-page"), "OverviewPage"),
});

const entries = createRoute({
  getParentRoute: () => inside,
  path: "/entries/",
  validateSearch: entriesSearch,
  loaderDeps: ({ search: { peek: _, ...search } }) => search,
  loader: ({ context: { queries }, deps }) => queries.prefetchInfiniteQuery(entriesOptions(deps)),
  component: lazyRouteComponent(() => import("@/features/entries/entries-page"), "EntriesPage"),
});

const story = createRoute({
  getParentRoute: () => inside,
  path: "/entries/$entry",
  validateSearch: z.object({ tab: z.catch(z.optional(z.enum(["timeline", "raw"])), undefined) }),
  loader: ({ context: { queries }, params }) =>
    queries.prefetchQuery(readEntryOptions({ path: params })),
  component: lazyRouteComponent(() => import("@/features/story/story-page"), "StoryPage"),
});

const connections = createRoute({
  getParentRoute: () => inside,
  path: "/connections",
  validateSearch: z.object({
    name: z.catch(z.optional(z.string()), undefined),
    make: z.catch(z.optional(z.enum(["zammad", "kimai"])), undefined),
  }),
  loader: ({ context: { queries } }) => queries.prefetchQuery(listConnectorsOptions()),
  component: lazyRouteComponent(
    () => import("@/features/connections/connections-page"),
    "ConnectionsPage",
  ),
});

export const makeRouter = (queries: QueryClient) =>
  createRouter({
    routeTree: root.addChildren([
      login,
      inside.addChildren([overview, entries, story, connections]),
    ]),
    context: { queries },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
