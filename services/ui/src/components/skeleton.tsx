import { useTranslation } from "react-i18next";

/** Rows to come, in their own shape; invisible for the first 150 ms (styles.css). */
export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div role="status" className="skeleton">
      <span className="sr-only">{t("loading")}</span>
      {Array.from({ length: rows }, (_, at) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
          key={at}
          aria-hidden
          className="flex h-(--row) items-center gap-4 border-b border-line px-4"
        >
          <span className="h-2.5 w-14 rounded-sm bg-hover" />
          <span className="h-2.5 flex-1 rounded-sm bg-hover" />
          <span className="h-2.5 w-12 rounded-sm bg-hover" />
        </div>
      ))}
    </div>
  );
}
