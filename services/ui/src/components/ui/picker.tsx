import { ChevronDown } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { type PickerProps, pickerLook } from "./picker-look";

const list = () => import("./picker-list").then((all) => ({ default: all.PickerList }));
const PickerList = lazy(list);
const near = () => void list();

/** One of many, found by typing; what finds it is fetched when somebody reaches for it. */
export function Picker({
  focused = false,
  ...props
}: PickerProps & {
  /** It is what somebody came for: they can type at once. */
  focused?: boolean;
}) {
  const { t } = useTranslation();
  const [reached, setReached] = useState<"typing" | "opened" | null>(null);
  useEffect(() => {
    if (focused) setReached("typing");
  }, [focused]);
  const face = (
    <div className={cn(pickerLook.group, props.className)}>
      <input
        role="combobox"
        aria-expanded={false}
        aria-label={props.label}
        readOnly
        placeholder={props.placeholder}
        value={props.value?.label ?? ""}
        onPointerEnter={near}
        onFocus={() => setReached((was) => was ?? "typing")}
        className={pickerLook.input}
      />
      <button
        type="button"
        tabIndex={-1}
        aria-label={t("do.choose", { what: props.label })}
        onPointerEnter={near}
        onClick={() => setReached("opened")}
        className={pickerLook.trigger}
      >
        <ChevronDown className="size-3.5" aria-hidden />
      </button>
    </div>
  );
  if (!reached) return face;
  return (
    <Suspense fallback={face}>
      <PickerList {...props} opened={reached === "opened"} />
    </Suspense>
  );
}
