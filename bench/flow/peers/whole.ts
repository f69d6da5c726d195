// Tapline as users run it on the work of this bench: the whole collector, with redaction, joins, flow, tags and the ledger
// with its fdatasync, the mapping and rules of the bench in its configuration. Says `done` and waits.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openCollector } from "../../../src/collector.ts";
import { parseConfig } from "../../../src/config.ts";
import { type Case, RULES, hasRules, isSent, mapping, sigma } from "./work.ts";

const { values } = parseArgs({
  options: {
    case: { type: "string" },
    input: { type: "string" },
    url: { type: "string", default: "" },
    dir: { type: "string" },
  },
});
const of = values.case as Case;
const dir = values.dir!;
const rules = join(dir, "rules");
rmSync(join(dir, "state"), { recursive: true, force: true });
mkdirSync(rules, { recursive: true });
for (const [i, rule] of RULES.entries()) writeFileSync(join(rules, `${rule.name}.yml`), sigma(rule, i, true));

const config = parseConfig(
  JSON.stringify({
    state_dir: join(dir, "state"),
    host: "bench",
    sources: {
      bench: { type: "file", include: [values.input], follow: false, format: "json", options: mapping(true) },
    },
    sinks: { bench: isSent(of) ? { type: "elasticsearch", url: values.url } : { type: "null" } },
    bundled_rules: false,
    rules: hasRules(of) ? [rules] : [],
  }),
  "bench",
);
const collector = await openCollector(config, () => {}, {
  onAlert() {},
  onDurable() {},
  onProblem: (problem) => {
    throw new Error(problem);
  },
});
await collector.run(new AbortController().signal, true);
console.log("done");
setInterval(() => {}, 60_000);
