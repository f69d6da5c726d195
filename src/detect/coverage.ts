// What the rules cover: ATT&CK and ATLAS techniques as Navigator layers, the OWASP lists, and the controls of ISO/IEC
// 42001 whose operation the rules watch. Counts tags; says nothing of how good a rule is.
import { CLASSES, type EventClass } from "../core/generated/classes.ts";
import { LEVELS, type Level, type Rule } from "./rule.ts";
import { controlsNamed } from "./controls.ts";
import { threatOf } from "./threat.ts";

/** What coverage needs to know of a rule or correlation. */
export type Covering = Pick<Rule, "id" | "title" | "level" | "tags"> & {
  readonly category: string | undefined;
};

export interface Row {
  readonly id: string;
  readonly name: string;
  readonly rules: readonly string[];
}

export interface Coverage {
  readonly rules: number;
  readonly attack: readonly Row[];
  readonly atlas: readonly Row[];
  readonly owasp: readonly Row[];
  readonly controls: readonly Row[];
}

const OWASP: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  LLM: [
    "Top 10 for LLM applications, 2025",
    [
      "Prompt Injection",
      "Sensitive Information Disclosure",
      "Supply Chain",
      "Data and Model Poisoning",
      "Improper Output Handling",
      "Excessive Agency",
      "System Prompt Leakage",
      "Vector and Embedding Weaknesses",
      "Misinformation",
      "Unbounded Consumption",
    ],
  ],
  ASI: [
    "Top 10 for agentic applications, 2026",
    [
      "Agent Goal Hijack",
      "Tool Misuse and Exploitation",
      "Identity and Privilege Abuse",
      "Agentic Supply Chain Vulnerabilities",
      "Unexpected Code Execution",
      "Memory and Context Poisoning",
      "Insecure Inter-Agent Communication",
      "Cascading Failures",
      "Human-Agent Trust Exploitation",
      "Rogue Agents",
    ],
  ],
  MCP: [
    "MCP Top 10, version 0.1",
    [
      "Token Mismanagement and Secret Exposure",
      "Privilege Escalation via Scope Creep",
      "Tool Poisoning",
      "Supply Chain and Dependency Tampering",
      "Command Injection and Execution",
      "Intent Flow Subversion",
      "Insufficient Authentication and Authorization",
      "Lack of Audit and Telemetry",
      "Shadow MCP Servers",
      "Context Injection and Over-Sharing",
    ],
  ],
};

/** The OWASP lists: prefix, name. */
export const OWASP_LISTS = Object.entries(OWASP).map(([prefix, [name]]) => ({ prefix, name }));

/** `controls` are ids and titles of Annex A. */
export function coverageOf(rules: readonly Covering[], controls: ReadonlyMap<string, string>): Coverage {
  const techniques = new Map<string, Set<string>>();
  const tags = new Map<string, Set<string>>();
  const shown = new Map<string, Set<string>>();
  for (const rule of rules) {
    for (const id of threatOf(rule.tags).techniques ?? []) put(techniques, id, rule.title);
    for (const tag of rule.tags) {
      const [namespace, ...rest] = tag.toLowerCase().split(".");
      if (namespace === "owasp") put(tags, rest.join("").toUpperCase(), rule.title);
    }
    for (const control of controlsNamed(rule.tags)) put(shown, control, rule.title);
    for (const control of controlsOf(rule.category)) put(shown, control, rule.title);
  }
  const found = [...techniques]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, titles]) => ({ id, name: "", rules: [...titles] }));
  const owasp = Object.entries(OWASP).flatMap(([prefix, [, names]]) =>
    names.map((name, i) => {
      const id = `${prefix}${String(i + 1).padStart(2, "0")}`;
      return { id, name, rules: [...(tags.get(id) ?? [])] };
    }),
  );
  return {
    rules: rules.length,
    attack: found.filter((row) => !row.id.startsWith("AML.")),
    atlas: found.filter((row) => row.id.startsWith("AML.")),
    owasp,
    controls: [...controls].map(([id, name]) => ({ id, name, rules: [...(shown.get(id) ?? [])] })),
  };
}

/** Controls that the events of a rule are direct evidence for. */
function controlsOf(category: string | undefined): readonly string[] {
  const classes: Readonly<Record<string, EventClass>> = CLASSES;
  return category !== undefined && Object.hasOwn(classes, category) ? classes[category]!.direct : [];
}

function put(map: Map<string, Set<string>>, key: string, title: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([title]));
  else set.add(title);
}

const COLOURS = ["#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c"];

/** Layers for the ATT&CK Navigator (layer format 4.5), which opens several from one file: ATT&CK and ATLAS. A
 * technique's score is the number of its rules. */
export function layersOf(coverage: Coverage, rules: readonly Covering[]): object[] {
  const levels = new Map(rules.map((rule) => [rule.title, rule.level]));
  const layer = (name: string, domain: string, rows: readonly Row[]): object => ({
    name: `Tapline rules: ${name}`,
    versions: { layer: "4.5", navigator: "5.1.0" },
    domain,
    description: `${coverage.rules} rules; the score is the number of rules for a technique`,
    sorting: 3,
    hideDisabled: false,
    techniques: rows.map(({ id, rules: titles }) => ({
      techniqueID: id,
      score: titles.length,
      enabled: true,
      showSubtechniques: true,
      comment: titles.join("\n"),
      metadata: [{ name: "highest level", value: highest(titles.map((title) => levels.get(title)!)) }],
    })),
    gradient: {
      colors: COLOURS,
      minValue: 1,
      maxValue: Math.max(COLOURS.length, ...rows.map((r) => r.rules.length)),
    },
  });
  return [
    layer("MITRE ATT&CK", "enterprise-attack", coverage.attack),
    layer("MITRE ATLAS", "atlas-atlas", coverage.atlas),
  ];
}

function highest(levels: readonly Level[]): Level {
  return LEVELS[Math.max(...levels.map((level) => LEVELS.indexOf(level)))]!;
}
