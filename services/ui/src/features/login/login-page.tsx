import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { signIn } from "@/lib/session";

const route = getRouteApi("/login");

export function LoginPage() {
  const { t } = useTranslation();
  const { from } = route.useSearch();
  const navigate = route.useNavigate();
  const [token, setToken] = useState("");
  return (
    <main className="grid h-full place-items-center p-4">
      <form
        className="flex w-full max-w-80 flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void signIn(token.trim()).then(() => navigate({ to: from ?? "/" }));
        }}
      >
        <h1 className="flex items-center gap-2 text-xl font-semibold">
          <img src="/favicon.svg" alt="" className="size-6" /> {t("login.title")}
        </h1>
        <TextField
          label={t("login.token")}
          type="password"
          autoComplete="current-password"
          required
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <Button type="submit" kind="primary">
          {t("login.in")}
        </Button>
      </form>
    </main>
  );
}
