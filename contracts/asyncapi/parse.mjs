// What the official parser says of the document of the topics: exits 1 with every error and warning.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const path = process.argv[2];
const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"));
const complaints = diagnostics.filter(({ severity }) => severity <= 1); // 2 and 3 are information and hints
for (const { message, path: where } of complaints) console.error(`${where.join(".")}: ${message}`);
if (!document || complaints.length > 0) process.exit(1);
console.log(`${path}: ${document.channels().length} topics, ${document.messages().length} messages`);
