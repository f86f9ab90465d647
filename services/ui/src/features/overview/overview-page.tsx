import { useTranslation } from "react-i18next";
import { PageHead } from "@/components/page-head";

export function OverviewPage() {
  const { t } = useTranslation();
  return <PageHead title={t("nav.overview")} />;
}
