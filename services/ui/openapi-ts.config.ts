import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: "../query-api/openapi.json",
  output: { path: "./src/api", clean: true },
  parser: {
    patch: {
      // FastAPI's own ids end in the path and the verb; what the function is called says it already
      operations: (_method, _path, operation) => {
        operation.operationId = operation.operationId?.replace(/_api_.*$/, "");
      },
    },
  },
  plugins: [
    "@hey-api/client-fetch",
    { name: "@hey-api/sdk", validator: false },
    "@tanstack/react-query",
  ],
});
