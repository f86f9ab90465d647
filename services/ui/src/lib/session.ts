import { useSyncExternalStore } from "react";
import { client } from "@/api/client.gen";

/** Who is signed in, in this tab. */
let token: string | null = sessionStorage.getItem("token");
const heard = new Set<() => void>();

function hold(next: string | null): void {
  token = next;
  if (next === null) sessionStorage.removeItem("token");
  else sessionStorage.setItem("token", next);
  for (const hear of heard) hear();
}

export const isSignedIn = (): boolean => token !== null;

export const useIsSignedIn = (): boolean =>
  useSyncExternalStore((hear) => {
    heard.add(hear);
    return () => heard.delete(hear);
  }, isSignedIn);

/** Every request says who asks; what answers 401 ends the session. */
export function startAsking(): void {
  client.setConfig({
    baseUrl: "",
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (token) request.headers.set("Authorization", `Bearer ${token}`);
      const answer = await fetch(request);
      if (answer.status === 401) hold(null);
      return answer;
    },
  });
}

export async function signIn(given: string): Promise<void> {
  hold(given);
}

export const signOut = (): void => hold(null);
