import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

/** Asks once more before something is taken away, and says what that does. */
export function RemovalDialog({
  open,
  onOpen,
  title,
  why,
  label,
  remove,
  isPending,
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  title: string;
  why: string;
  label: string;
  remove: () => Promise<unknown>;
  isPending: boolean;
}) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpen={onOpen} title={title}>
      <p className="pb-4 text-left whitespace-normal">{why}</p>
      <div className="flex justify-end gap-2">
        <Button onClick={() => onOpen(false)}>{t("do.cancel")}</Button>
        <Button
          kind="danger"
          disabled={isPending}
          onClick={() => void remove().then(() => onOpen(false))}
        >
          {label}
        </Button>
      </div>
    </Dialog>
  );
}
