// The configuration's part of the reference, from the schemas that check it: src/config.ts and the registries.
import { z } from "zod";
import { configSchema } from "../../src/config.ts";
import { ANCHORS } from "../../src/ledger/anchors/index.ts";
import { jsonMapping } from "../../src/normalise/formats/json.ts";
import { POLICY_PARTS, policySchema } from "../../src/policy/schema.ts";
import { SINKS } from "../../src/sinks/index.ts";
import { SOURCES } from "../../src/sources/index.ts";
import { code, table } from "./markdown.ts";

/** What JSON Schema says of one option, as far as it is shown. */
interface Shape {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly required?: readonly string[];
}

/** Defaults that depend on the machine. */
const COMPUTED: Readonly<Record<string, string>> = {
  state_dir: "`$XDG_STATE_HOME/tapline`, else `~/.local/state/tapline`",
  host: "this host's name",
};
/** Keys that have a section of their own, and how they are written. */
const REGISTRIES: Readonly<Record<string, string>> = { sources: "source", sinks: "sink", anchors: "anchor" };

const shapeOf = (schema: z.ZodType, io: "input" | "output" = "input"): Shape =>
  z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Shape;

function typeOf(shape: Shape): string {
  if (shape.enum !== undefined) {
    return shape.enum.length > 12
      ? "an event class"
      : shape.enum.map((value) => code(String(value))).join(", ");
  }
  if (shape.const !== undefined) return code(shape.const);
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map(typeOf))].join(", or ");
  if (shape.type === "array") return `list of ${typeOf(shape.items ?? {})}`;
  if (shape.type === "object") return "map";
  if (shape.type !== "integer") return shape.type ?? "any";
  return shape.minimum === undefined ? "integer" : `integer, ${bounds(shape.minimum, shape.maximum)}`;
}

const bounds = (least: number, most: number | undefined): string =>
  most === undefined || most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `${least} to ${most}`;

function rowsOf(shape: Shape, prefix: string): string[][] {
  return Object.entries(shape.properties ?? {}).flatMap(([key, option]) => {
    const name = prefix + key;
    if (option.properties !== undefined) return rowsOf(option, `${name}.`);
    const needed = shape.required?.includes(key) === true ? "needed" : "";
    const given = option.default === undefined ? needed : code(JSON.stringify(option.default));
    return [[code(name), typeOf(option), COMPUTED[name] ?? given, option.description ?? ""]];
  });
}

const HEAD = ["key", "type", "default", "what"];

function topLevel(): string {
  const shape = shapeOf(configSchema);
  const rows = rowsOf(shape, "").map((row) => {
    const kind = REGISTRIES[row[0]!.replaceAll("`", "")];
    return kind === undefined
      ? row
      : [row[0]!, `map of name to ${kind}`, "none", `The ${kind}s, by name: see below`];
  });
  return table(HEAD, rows);
}

function sectionsOf(
  kind: string,
  registry: Readonly<Record<string, { readonly config: z.ZodType }>>,
): string {
  const sections = Object.entries(registry).map(([name, component]) => {
    const shape = shapeOf(component.config);
    const about = shape.description === undefined ? "" : `${shape.description}.\n\n`;
    return `### ${kind} \`${name}\`\n\n${about}${table(HEAD, rowsOf(shape, ""))}\n`;
  });
  return sections.join("\n");
}

export function optionsSection(): string {
  return `## Configuration

YAML, given with \`-c FILE\` or \`TAPLINE_CONFIG\`. Unknown keys are errors; \`tapline check\` tells every problem at once.
Names of sources and sinks are a-z, 0-9, \`-\` and \`_\`, at most 63 characters. Secrets come from files and the environment,
never from the configuration.

${topLevel()}

${sectionsOf("Source", SOURCES)}
### Options of the \`json\` format

Under \`options\` of a source with \`format: json\`. What the mapping does not name is kept in \`tapline.ext\`.

${table(HEAD, rowsOf(shapeOf(jsonMapping), ""))}

${sectionsOf("Sink", SINKS)}
${sectionsOf("Anchor", ANCHORS)}`;
}

/** What each part of a policy is called in the reference, and where it stands. */
const PARTS: readonly (readonly [keyof typeof POLICY_PARTS, string, string])[] = [
  ["server", "Server", "`servers.<name>`"],
  [
    "line",
    "Line",
    "`servers.<name>.tools.<name>`, `.resources.<uri>`, `.prompts.<name>`, `.requests.<method>`, and `agent_tools.<name>`. A verdict alone is short for `{verdict: …}`",
  ],
  ["argument", "Argument", "`arguments.<name>` of a line"],
  ["role", "Role", "`roles.<name>`"],
  ["data", "Data", "each of `data`"],
];

function policyRows(schema: z.ZodType): string[][] {
  // What a verdict alone is short for is seen only in what comes out.
  const shape = asVerdict(shapeOf(schema, "output"));
  return rowsOf({ ...shape, required: shapeOf(schema).required ?? [] }, "");
}

/** The shape with `{verdict, mode}`, for which a verdict alone is short, as one key. */
function asVerdict(shape: Shape): Shape {
  const { properties } = shape;
  if (properties === undefined) return shape;
  if (Object.keys(properties).join() === "verdict,mode") {
    const { verdict } = (shape.default ?? {}) as { verdict?: string };
    return { ...shape, type: "verdict, or `{verdict, mode}`", properties: undefined, default: verdict };
  }
  const inner = Object.entries(properties).map(([key, one]) => [key, asVerdict(one)]);
  return { ...shape, properties: Object.fromEntries(inner) as Record<string, Shape> };
}

export function policySection(): string {
  const sections = PARTS.map(
    ([name, title, where]) => `### ${title}

${where}.

${table(HEAD, policyRows(POLICY_PARTS[name]))}
`,
  );
  return `## Policy

The keys of the policy file (\`policy.yml\`). What they mean together is in [the guide](guides/policy.md). Unknown keys are errors.

${table(HEAD, policyRows(policySchema))}

${sections.join("\n")}`;
}
