import {
  BookOpenText,
  Cable,
  GitCompareArrows,
  LayoutDashboard,
  List,
  ScrollText,
  Send,
  ShieldCheck,
  Shuffle,
  Users,
} from "lucide-react";
import type { Role } from "@/api";
import { useMay } from "@/lib/session";
import type { Shortcut } from "@/lib/shortcuts";

/** Where one can go: the sidebar, the palette and `g …` read this. */
const places = [
  { to: "/", name: "overview", icon: LayoutDashboard, shortcut: "goOverview" },
  { to: "/conflicts", name: "conflicts", icon: GitCompareArrows, shortcut: "goConflicts" },
  { to: "/entries", name: "entries", icon: List, shortcut: "goEntries" },
  { to: "/mappings", name: "mappings", icon: Shuffle, shortcut: "goMappings" },
  { to: "/connections", name: "connections", icon: Cable, shortcut: "goConnections" },
  { to: "/deliveries", name: "deliveries", icon: Send, shortcut: "goDeliveries" },
  { to: "/audit", name: "audit", icon: ScrollText, shortcut: "goAudit" },
  { to: "/ledger", name: "ledger", icon: BookOpenText, shortcut: "goLedger" },
  { to: "/people", name: "people", icon: Users, shortcut: "goPeople", role: "admin" },
  {
    to: "/privacy",
    name: "privacy",
    icon: ShieldCheck,
    shortcut: "goPrivacy",
    role: "admin",
  },
] as const satisfies readonly {
  shortcut: Shortcut;
  to: string;
  name: string;
  icon: unknown;
  /** Only for those who may. */
  role?: Role;
}[];

export function usePlaces() {
  const isAdmin = useMay("admin");
  return places.filter((place) => !("role" in place) || isAdmin);
}
