import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toldOf } from "@/lib/problems";
import { tell } from "@/lib/tell";

/** For `Idempotency-Key`; also where the page came over plain HTTP and `randomUUID` is not there. */
const freshKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

/**
 * What a person does: sent once whatever the network does to it, then shown.
 * A problem is told in a toast, unless the form that sent it tells it.
 */
export function useAct<Input, Answer>(
  deed: (input: Input, key: string) => Promise<Answer>,
  { done, quiet = false }: { done?: string; quiet?: boolean } = {},
) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { mutateAsync, ...rest } = useMutation({
    mutationFn: ({ input, key }: { input: Input; key: string }) => deed(input, key),
    retry: (count, error) => error instanceof TypeError && count < 2,
    retryDelay: 1000,
    onSuccess: async () => {
      if (done) tell({ title: done, timeout: 4000 });
      await queries.invalidateQueries();
    },
    onError: (error) => {
      if (quiet) return;
      const { key } = toldOf(error);
      tell({
        title: t(`problem.${key}.title`),
        description: t(`problem.${key}.sentence`),
        urgent: true,
        timeout: 12_000,
      });
    },
  });
  return {
    ...rest,
    /** Gives the answer, or undefined where it did not work (and was told). */
    act: (input: Input): Promise<Answer | undefined> =>
      mutateAsync({ input, key: freshKey() }).catch(() => undefined),
  };
}
