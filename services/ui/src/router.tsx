import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import * as z from "zod/mini";
import { syncStatusOptions } from "@/api/@tanstack/react-query.gen";
import { isSignedIn } from "@/lib/session";
import { Shell } from "@/shell";

const root = createRootRouteWithContext<{ queries: QueryClient }>()();

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: z.object({ from: z.catch(z.optional(z.string()), undefined) }),
  component: lazyRouteComponent(() => import("@/features/login/login-page"), "LoginPage"),
});

/** Everything but the login is for people we know. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  beforeLoad: ({ location }) => {
    if (!isSignedIn()) throw redirect({ to: "/login", search: { from: location.href } });
  },
});

const overview = createRoute({
  getParentRoute: () => inside,
  path: "/",
  loader: ({ context: { queries } }) => queries.prefetchQuery(syncStatusOptions()),
  component: lazyRouteComponent(() => import("@/features/overview/overview-page"), "OverviewPage"),
});

export const makeRouter = (queries: QueryClient) =>
  createRouter({
    routeTree: root.addChildren([login, inside.addChildren([overview])]),
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
