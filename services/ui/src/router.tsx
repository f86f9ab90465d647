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
  listJobsOptions,
  listUnmappedOptions,
  readEntryOptions,
  readOverviewOptions,
} from "@/api/@tanstack/react-query.gen";
import { auditSearch } from "@/features/audit/audit-search";
import { conflictsOptions, conflictsSearch } from "@/features/conflicts/conflicts-search";
import { deliveriesSearch } from "@/features/deliveries/deliveries-search";
import { entriesOptions, entriesSearch } from "@/features/entries/entries-search";
import { ledgerSearch } from "@/features/ledger/job-search";
import { either, words } from "@/lib/search";
import { whoIsIn } from "@/lib/session";
import { Shell } from "@/shell";

const root = createRootRouteWithContext<{ queries: QueryClient }>()();

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: z.object({
    from: words(),
    invitation: words(),
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
  loader: ({ context: { queries } }) => queries.prefetchQuery(readOverviewOptions()),
  component: lazyRouteComponent(() => import("@/features/overview/overview-page"), "OverviewPage"),
});

const entries = createRoute({
  getParentRoute: () => inside,
  path: "/entries",
  validateSearch: entriesSearch,
  loaderDeps: ({ search: { peek: _, ...search } }) => search,
  loader: ({ context: { queries }, deps }) => queries.prefetchInfiniteQuery(entriesOptions(deps)),
  component: lazyRouteComponent(() => import("@/features/entries/entries-page"), "EntriesPage"),
});

const story = createRoute({
  getParentRoute: () => inside,
  path: "/entries/$entry",
  validateSearch: z.object({
    tab: either(z.enum(["timeline", "raw"])),
    step: either(z.int().check(z.positive())),
  }),
  loader: ({ context: { queries }, params }) =>
    queries.prefetchQuery(readEntryOptions({ path: params })),
  component: lazyRouteComponent(() => import("@/features/story/story-page"), "StoryPage"),
});

const connections = createRoute({
  getParentRoute: () => inside,
  path: "/connections",
  validateSearch: z.object({
    name: words(),
    make: either(z.enum(["zammad", "kimai", "csv"])),
    schedule: either(z.boolean()),
  }),
  loader: ({ context: { queries } }) => queries.prefetchQuery(listConnectorsOptions()),
  component: lazyRouteComponent(
    () => import("@/features/connections/connections-page"),
    "ConnectionsPage",
  ),
});

const conflicts = createRoute({
  getParentRoute: () => inside,
  path: "/conflicts",
  validateSearch: conflictsSearch,
  loaderDeps: ({ search: { conflict: _, peek: __, ...search } }) => search,
  loader: ({ context: { queries }, deps }) => queries.prefetchInfiniteQuery(conflictsOptions(deps)),
  component: lazyRouteComponent(
    () => import("@/features/conflicts/conflicts-page"),
    "ConflictsPage",
  ),
});

const mappings = createRoute({
  getParentRoute: () => inside,
  path: "/mappings",
  validateSearch: z.object({
    kind: either(z.enum(["worker", "customer", "activity"])),
    key: words(),
  }),
  loader: ({ context: { queries } }) => queries.prefetchQuery(listUnmappedOptions()),
  component: lazyRouteComponent(() => import("@/features/mappings/mappings-page"), "MappingsPage"),
});

const deliveries = createRoute({
  getParentRoute: () => inside,
  path: "/deliveries",
  validateSearch: deliveriesSearch,
  component: lazyRouteComponent(
    () => import("@/features/deliveries/deliveries-page"),
    "DeliveriesPage",
  ),
});

const audit = createRoute({
  getParentRoute: () => inside,
  path: "/audit",
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import("@/features/audit/audit-page"), "AuditPage"),
});

const ledger = createRoute({
  getParentRoute: () => inside,
  path: "/ledger",
  validateSearch: ledgerSearch,
  loader: ({ context: { queries } }) =>
    queries.prefetchQuery(listJobsOptions({ query: { limit: 30 } })),
  component: lazyRouteComponent(() => import("@/features/ledger/ledger-page"), "LedgerPage"),
});

const people = createRoute({
  getParentRoute: () => inside,
  path: "/people",
  component: lazyRouteComponent(() => import("@/features/people/people-page"), "PeoplePage"),
});

const privacy = createRoute({
  getParentRoute: () => inside,
  path: "/privacy",
  validateSearch: z.object({ identity: words() }),
  component: lazyRouteComponent(() => import("@/features/privacy/privacy-page"), "PrivacyPage"),
});

const setup = createRoute({
  getParentRoute: () => inside,
  path: "/setup",
  validateSearch: z.object({
    step: either(z.enum(["connect", "map", "look"])),
  }),
  component: lazyRouteComponent(() => import("@/features/setup/setup-page"), "SetupPage"),
});

export const makeRouter = (queries: QueryClient) =>
  createRouter({
    routeTree: root.addChildren([
      login,

      inside.addChildren([
        overview,
        conflicts,
        entries,
        story,
        mappings,
        connections,
        deliveries,
        audit,
        ledger,
        people,
        privacy,
        setup,
      ]),
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
