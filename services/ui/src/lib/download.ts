import { ask } from "@/lib/session";

/** What the API gives, as a file of this browser; the token is in no address. */
export async function download(path: string, name: string): Promise<void> {
  const answer = await ask(path);
  if (!answer.ok) throw await answer.json();
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
