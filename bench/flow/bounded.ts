// `node bounded.ts FILE …`: runs a file of this bench with the bounds that `tapline run` gives its memory.
import { pathToFileURL } from "node:url";
import { boundMemory } from "../../bin/memory.js";

boundMemory();
process.argv.splice(1, 1);
await import(pathToFileURL(process.argv[1]!).href);
