// What a policy file may say. Each key is documented here and in docs/guides/policy.md. Nothing but parse.ts imports
// this file: who decides needs no schema.
import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

const NAME = z
  .string()
  .regex(/^[\w.@/-]{1,128}$/, "a name: letters, digits and _ . @ / -, at most 128 characters");
const PATTERN = z.string().min(1).max(LIMITS.policy_pattern_chars);
const DAY = z.iso.date("a day, as in 2027-01-31");
const VERDICT = z.enum(["allow", "deny", "ask"]);
const MODE = z.enum(["observe", "enforce"]).describe("observe records the verdict and lets the call pass");
const CLASS = z
  .enum(["private", "untrusted", "egress", "other"])
  .describe("What the tool does with data: brings in private data, brings in strangers' text, sends out");
const TEXT = z.string().min(1).max(1_024);

/** A verdict alone is short for an object with it. */
function short<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (typeof value === "string" ? { verdict: value } : value), schema);
}

const list = (about: string) => z.array(PATTERN).max(LIMITS.policy_list).optional().describe(about);

const argument = z.strictObject({
  under: list("Directories below which every path in the argument must be"),
  not_under: list("Directories below which no path in the argument may be"),
  hosts: list("Hosts that every URL or host in the argument must be: name, *.name, name:port, address"),
  not_hosts: list("Hosts that no URL or host in the argument may be"),
  max_bytes: z
    .int()
    .min(0)
    .optional()
    .describe("Most text in the argument, all of it together, bytes of UTF-8"),
});

const rate = z.strictObject({
  calls: z.int().min(1).max(LIMITS.policy_rate_calls).describe("Calls allowed in the span, for each user"),
  per_s: z.int().min(1).max(86_400).describe("The span, in seconds"),
});

const lineShape = {
  verdict: VERDICT.default("allow").describe("What is said of a call that keeps to the rest of the line"),
  mode: MODE.optional(),
  tier: NAME.optional().describe("Only for roles that have this tier"),
  max_bytes: z.int().min(0).optional().describe("Largest request, bytes"),
  rate: rate.optional().describe("How often it may be called"),
  arguments: z
    .record(z.string(), argument)
    .optional()
    .describe("What arguments may be, by name; `*` is every text in the arguments"),
};
const line = short(z.strictObject(lineShape));
const toolShape = z.strictObject({
  ...lineShape,
  class: CLASS.optional(),
  definition: z
    .string()
    .regex(
      /^sha256:[0-9a-f]{64}$/,
      "sha256: and 64 hexadecimal digits, as `tapline inventory show` prints it",
    )
    .optional()
    .describe("Hash of the definition that was reviewed; another counts as changed (tools only)"),
});
const tool = short(toolShape);
const fallback = short(z.strictObject({ verdict: VERDICT, mode: MODE.optional() }));

const lines = (about: string) => z.record(PATTERN, line).default({}).describe(about);
const tools = (about: string) => z.record(PATTERN, tool).default({}).describe(about);

const server = z
  .strictObject({
    command: z
      .array(z.string().max(4_096))
      .min(1)
      .max(256)
      .optional()
      .describe(
        "Command line that starts it, word by word; `*` in a word is any characters, a last word `**` any words",
      ),
    package: TEXT.optional().describe(
      "Package that it is run from by npx, bunx, pnpm, uvx, pipx, docker or podman",
    ),
    version: TEXT.optional().describe(
      "Versions of the package that are approved, such as `>=1.2 <2` or `2025.4.8`",
    ),
    url: TEXT.optional().describe("Its URL, without a query; a last `*` is any path below"),
    owner: TEXT.optional().describe("Who answers for it"),
    approved: DAY.optional().describe("Day of the approval"),
    approved_by: TEXT.optional().describe("Who approved it"),
    expires: DAY.optional().describe("Last day of the approval, UTC"),
    mode: MODE.optional(),
    tier: NAME.optional().describe("Tier of its tools, where the line that allows one names none"),
    class: CLASS.optional(),
    default: fallback.optional().describe("Verdict on what has no line; `defaults.tools` where absent"),
    tools: tools("Tools, by name; `*` in a name is any characters"),
    resources: lines("Resources, by URI"),
    prompts: lines("Prompts, by name"),
    requests: lines(
      "What the server asks of the client, by method: sampling/createMessage, elicitation/create",
    ),
  })
  .refine((s) => s.command !== undefined || s.package !== undefined || s.url !== undefined, {
    error: "a server needs what starts it: command, package or url. A name alone is no identity",
  })
  .refine((s) => s.version === undefined || s.package !== undefined, {
    error: "version is of a package: name the package too",
    path: ["version"],
  })
  .refine((s) => s.url === undefined || (s.command === undefined && s.package === undefined), {
    error: "a server has a command or package, or a url, not both",
    path: ["url"],
  });

const role = z.strictObject({
  users: list("Users in the role; absent: any"),
  agents: list("Agents in the role, by the client's name; absent: any. Both lists given: both must match"),
  tiers: z.array(NAME).min(1).describe("Tiers of tools that the role may use"),
});

const data = z.strictObject({
  classification: NAME.describe("The label"),
  paths: z.array(PATTERN).default([]).describe("Directories and files"),
  hosts: z.array(PATTERN).default([]).describe("Hosts: name, *.name"),
  servers: z.array(NAME).default([]).describe("Servers of this file"),
});

const record = <T extends z.ZodType>(value: T, max: number, about: string) =>
  z
    .record(NAME, value)
    .refine((all) => Object.keys(all).length <= max, { error: `at most ${max}` })
    .default({})
    .describe(about);

export const policySchema = z.strictObject({
  version: z.literal(1).describe("Version of this format"),
  mode: MODE.default("observe"),
  defaults: z
    .strictObject({
      servers: fallback.default({ verdict: "deny" }).describe("A server that is not in this file"),
      tools: fallback
        .default({ verdict: "allow" })
        .describe("A tool of a server of this file that has no line"),
      agent_tools: fallback
        .default({ verdict: "allow" })
        .describe("A tool of the agent itself that has no line"),
      changed: fallback
        .default({ verdict: "deny" })
        .describe("A tool whose definition changed, until it is accepted"),
    })
    .prefault({}),
  servers: record(server, LIMITS.policy_servers, "The inventory: servers that are sanctioned"),
  agent_tools: tools("Tools of the agent itself, by name"),
  roles: record(role, LIMITS.policy_list, "Who may use which tiers of tools"),
  data: z.array(data).max(LIMITS.policy_list).default([]).describe("How data is classified"),
});
/** Parts of a policy as the reference tells of them, beside the whole. */
export const POLICY_PARTS = { server, line: toolShape, argument, role, data };
export type PolicyFile = z.output<typeof policySchema>;
