import { useTranslation } from "react-i18next";

/** What a mapping's key says: `organization:2`, `customer:9`, `default`, `none`, or a number. */
export function useSourceKey(): (kind: string, key: string) => string {
  const { t } = useTranslation();
  return (kind, key) => {
    const [what, id] = key.includes(":") ? key.split(":") : [undefined, key];
    if (key === "default") return t("mapping.key.default");
    if (key === "none") return t("mapping.key.none");
    if (what === "organization") return t("mapping.key.organization", { id });
    if (what === "customer") return t("mapping.key.customer", { id });
    if (kind === "worker") return t("mapping.key.agent", { id });
    if (kind === "activity") return t("mapping.key.type", { id });
    return key;
  };
}
