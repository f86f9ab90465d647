import { useSyncExternalStore } from "react";
import { type Role, refresh, type SignedIn, signOut } from "@/api";
import { client } from "@/api/client.gen";

/** Who is signed in, in this page: the token lives in its memory only, the cookie gets the next one. */
export type Session = { token: string; until: number; user: string; name: string; role: Role };

const EARLY_MS = 20_000;
let session: Session | null = null;
let renewing: Promise<boolean> | null = null;
const heard = new Set<() => void>();

function hold(next: Session | null): void {
  session = next;
  for (const hear of heard) hear();
}

/** After a sign-in, by whichever door. */
export function enter({ access_token, expires_in, user, name, role }: SignedIn): void {
  hold({ token: access_token, until: Date.now() + expires_in * 1000, user, name, role });
}

/** By the cookie; whether somebody is signed in. Several that ask at once share one answer. */
function renew(): Promise<boolean> {
  renewing ??= refresh({ throwOnError: true })
    .then(({ data }) => {
      enter(data);
      return true;
    })
    .catch((problem: unknown) => {
      // only a clear "no" ends the session: without a network it goes on
      if (typeof problem === "object" && problem !== null && "status" in problem) {
        if (problem.status === 401) hold(null);
      }
      return session !== null;
    })
    .finally(() => {
      renewing = null;
    });
  return renewing;
}

export async function leave(): Promise<void> {
  await signOut();
  hold(null);
}

/** The one who is signed in; looks for a session that began in another page or before a reload. */
export async function whoIsIn(): Promise<Session | null> {
  if (!session) await renew();
  return session;
}

export const useSession = (): Session | null =>
  useSyncExternalStore(
    (hear) => {
      heard.add(hear);
      return () => heard.delete(hear);
    },
    () => session,
  );

const ranks = { viewer: 0, operator: 1, admin: 2 } satisfies Record<Role, number>;

/** Whether this person may do what needs at least that role; the service asks the same again. */
export function useMay(role: Role): boolean {
  const held = useSession()?.role;
  return held !== undefined && ranks[held] >= ranks[role];
}

/** With the token of now; what answers 401 is asked once more with a new one. */
export async function ask(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  if (new URL(request.url).pathname.startsWith("/api/auth")) return fetch(request);
  if (session && Date.now() > session.until - EARLY_MS) await renew();
  const answer = await fetch(signed(request.clone()));
  if (answer.status !== 401 || !(await renew())) return answer;
  return fetch(signed(request));
}

function signed(request: Request): Request {
  if (session) request.headers.set("Authorization", `Bearer ${session.token}`);
  return request;
}

export function startAsking(): void {
  client.setConfig({ baseUrl: "", fetch: ask });
}
