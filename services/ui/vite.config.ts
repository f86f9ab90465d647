import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { host: "127.0.0.1", proxy: { "/api": "http://127.0.0.1:8300" } },
  build: {
    target: "baseline-widely-available",
    sourcemap: true,
    manifest: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            {
              name: "tanstack",
              test: /node_modules\/@tanstack\/(react-router|router-core|history|react-query|query-core|react-store|store)\//,
            },
            // a request costs more than the bytes of what a page does not need: few files, not small ones
            { name: "shared", minShareCount: 4 },
            { name: "icons", minShareCount: 2, test: /lucide-react|\/src\/lib\// },
          ],
        },
      },
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
  },
});
