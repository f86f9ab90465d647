import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { onTold } from "@/lib/tell";

const manager = Toast.createToastManager();

/** Shows what is told (lib/tell.ts). */
export function Toasts() {
  return (
    <Toast.Provider toastManager={manager} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(26rem,calc(100vw-2rem))] flex-col gap-2">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  const { t } = useTranslation();
  const { toasts: shown } = Toast.useToastManager();
  useEffect(
    () =>
      onTold(({ title, description, timeout, urgent, deed }) => {
        const id = manager.add({
          title,
          description,
          timeout,
          priority: urgent ? "high" : "low",
          actionProps: deed && {
            children: deed.label,
            onClick: () => {
              manager.close(id);
              deed.do();
            },
          },
        });
      }),
    [],
  );
  return shown.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="rounded-lg border border-line bg-raised px-3 py-2 text-ink shadow-lg transition-opacity duration-100 data-ending-style:opacity-0 data-limited:hidden"
    >
      <Toast.Content className="flex items-center gap-3">
        <div className="min-w-0 flex-1">
          <Toast.Title className="text-sm" render={<p />} />
          <Toast.Description className="text-xs text-ink-muted" />
        </div>
        <Toast.Action className="h-7 shrink-0 rounded-md border border-line px-2 text-xs font-medium hover:bg-hover" />
        <Toast.Close
          aria-label={t("do.close")}
          className="size-6 shrink-0 rounded-sm text-ink-faint hover:bg-hover hover:text-ink"
        >
          <X className="mx-auto size-3.5" aria-hidden />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
