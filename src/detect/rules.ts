// Parsed rules to a rule set, and the hash that names the whole.
import { hash } from "node:crypto";
import { canonical } from "../core/digest.ts";
import { CLASSES } from "../core/generated/classes.ts";
import { LIMITS } from "../core/limits.ts";
import { Compiler } from "./compile.ts";
import type { FieldSet } from "./fields.ts";
import { type CompiledRule, PRODUCT, RuleSet } from "./match.ts";
import type { Placeholders } from "./modifiers.ts";
import { filtered, isFor } from "./filter.ts";
import { type Filter, type Logsource, type Problem, Report, type Rule, nearest } from "./rule.ts";

/** `fields: "any"` accepts rules of other people, for events of other people; every rule then meets every event. */
export interface CompileOptions {
  readonly fields?: FieldSet;
  /** Values of `%name%` for the modifier `expand`. */
  readonly placeholders?: Placeholders;
  /** Joined to the rules that they are for. */
  readonly filters?: readonly Filter[];
  /** Content hashes of the correlations over these rules: they are part of the set's own hash. */
  readonly correlations?: readonly string[];
}

const ACTIONS: readonly string[] = Object.keys(CLASSES);
const SERVICES: readonly string[] = [...new Set(Object.values(CLASSES).map((c) => c.dataset.split(".")[1]!))];

/** Compiles what can be compiled; what cannot is in `problems` of the set, and the rest runs. */
export function compileRules(rules: readonly Rule[], options: CompileOptions = {}): RuleSet {
  const fields = options.fields ?? "table";
  const placeholders = options.placeholders ?? {};
  const compiler = new Compiler(fields, placeholders);
  const compiled: CompiledRule[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, Rule>();
  const wanted = (options.filters ?? []).filter((filter) => rules.some((rule) => isFor(filter, rule)));
  const filters = usable(wanted, compiler, problems);
  for (const own of rules) {
    const rule = filtered(own, filters);
    const report = new Report(rule.file, rule.line, rule.title);
    const twin = seen.get(rule.id);
    if (twin !== undefined) {
      // Documents of one file may share the id of an `action: global` part.
      const message = `${rule.id} is the id of ${twin.file} too`;
      if (twin.file === rule.file) report.warn("duplicate_id", "id", message, "Give it an id of its own");
      else report.error("duplicate_id", "id", message, "Give it an id of its own");
    } else seen.set(rule.id, rule);
    if (compiled.length >= LIMITS.rules) {
      report.error("too_many", "file", `more than ${LIMITS.rules} rules`, "Load fewer rules");
    }
    if (fields === "table") checkLogsource(rule.logsource, report);
    const test = compiler.compile(rule, report);
    if (test !== undefined && !report.refused) compiled.push({ rule, written: own, test });
    problems.push(...report.problems);
  }
  const memo = compiler.finish();
  const hashes = [...compiled.map((c) => c.rule.hash), ...(options.correlations ?? [])].toSorted();
  const text = canonical([hashes, fields, placeholders]);
  return new RuleSet(hash("sha256", text, "hex").slice(0, 32), compiled, problems, fields, memo);
}

/** Filters that can be honoured. Without one that cannot, its rules match more than they should, not less. */
function usable(filters: readonly Filter[], compiler: Compiler, problems: Problem[]): Filter[] {
  return filters.filter((filter) => {
    const report = new Report(filter.file, filter.line, filter.title);
    compiler.compile(filter, report, "filter");
    problems.push(...report.problems);
    return !report.refused;
  });
}

function checkLogsource({ product, category, service }: Logsource, report: Report): void {
  if (product !== PRODUCT) {
    const remedy = `Set \`product: ${PRODUCT}\` when it is meant for these events, else leave it out`;
    report.error(
      "logsource",
      "logsource.product",
      `no event here has the product "${product ?? ""}"`,
      remedy,
    );
    return;
  }
  const check = (name: string, value: string | undefined, known: readonly string[]): void => {
    if (value === undefined || known.includes(value)) return;
    const near = nearest(value, known);
    const remedy = near === undefined ? `Use one of ${known.join(", ")}` : `Did you mean "${near}"?`;
    report.error("logsource", `logsource.${name}`, `no event here has the ${name} "${value}"`, remedy);
  };
  check("category", category, ACTIONS);
  check("service", service, SERVICES);
}
