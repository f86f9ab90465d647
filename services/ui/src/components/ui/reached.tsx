import {
  type ComponentProps,
  cloneElement,
  type ReactElement,
  type ReactNode,
  Suspense,
  useState,
} from "react";

/** A button whose menu is fetched when somebody reaches for it, and opens with the first click. */
export function Reached({
  face,
  load,
  children,
}: {
  face: ReactElement<ComponentProps<"button">>;
  /** Fetches what `children` shows. */
  load: () => Promise<unknown>;
  /** The same button with its menu, open. */
  children: ReactNode;
}) {
  const [clicked, setClicked] = useState(false);
  const near = () => void load();
  const plain = cloneElement(face, {
    "aria-haspopup": "menu",
    onPointerEnter: near,
    onFocus: near,
    onClick: () => setClicked(true),
  });
  return clicked ? <Suspense fallback={plain}>{children}</Suspense> : plain;
}
