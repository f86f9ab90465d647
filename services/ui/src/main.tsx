import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type AnyRoute, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startSpeaking } from "@/lib/i18n";
import { startDressing } from "@/lib/look";
import { startAsking, whoIsIn } from "@/lib/session";
import { makeRouter } from "@/router";
import "@/styles.css";

const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 30_000, retry: 1 } } });
const router = makeRouter(queries);

startDressing();
startAsking();
// fetched beside the language, not behind it
void whoIsIn();
const routes: Record<string, AnyRoute | undefined> = router.routesById;
for (const match of router.matchRoutes(router.latestLocation)) {
  const route = routes[match.routeId];
  if (route) void router.loadRouteChunk(route);
}
await startSpeaking();
const place = document.getElementById("root");
if (!place) throw new Error("The page has no place for the application");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <CSPProvider disableStyleElements>
        <RouterProvider router={router} />
      </CSPProvider>
    </QueryClientProvider>
  </StrictMode>,
);
