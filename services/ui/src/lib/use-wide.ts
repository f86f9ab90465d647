import { useSyncExternalStore } from "react";

const query = () => matchMedia("(min-width: 48rem)");

/** Whether a list and its detail have room side by side. */
export const useIsWide = (): boolean =>
  useSyncExternalStore(
    (hear) => {
      const watched = query();
      watched.addEventListener("change", hear);
      return () => watched.removeEventListener("change", hear);
    },
    () => query().matches,
  );
