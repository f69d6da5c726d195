// `tapline inventory discover`: a first inventory from what clients are set up with and what was seen, to be reviewed.
import { resolve } from "node:path";
import { Document, isSeq } from "yaml";
import { type Configured, discoverClients, placesHere } from "../../policy/clients.ts";
import type { ServerIdentity } from "../../policy/contract.ts";
import { type Seen, identityOf } from "../../policy/drift.ts";
import { type PolicyPlace, policyPlace } from "../../policy/open.ts";
import { writeOut } from "../rules/output.ts";
import { readArgs, readConfig } from "../usage.ts";
import { serverShown } from "./secrets.ts";
import { seenIn } from "./seen.ts";

interface Proposed {
  readonly name: string;
  readonly server: ServerIdentity;
  readonly from: Set<string>;
  readonly tools: Set<string>;
  denied: boolean;
}

/** Servers by what starts them, each with where it was found. */
function propose(
  configured: readonly Configured[],
  seen: readonly Seen[],
): { readonly proposed: Proposed[]; readonly unclear: string[] } {
  const unclear: string[] = [];
  const all = new Map<string, Proposed>();
  const add = (server: ServerIdentity, from: string): Proposed | undefined => {
    const shown = serverShown(server);
    if (shown === undefined) {
      unclear.push(`${from}: the URL of a server cannot be read`);
      return undefined;
    }
    const key = JSON.stringify([shown.command, shown.url]);
    const found = all.get(key) ?? {
      name: server.name,
      server: shown,
      from: new Set(),
      tools: new Set(),
      denied: false,
    };
    all.set(key, found);
    found.from.add(from);
    return found;
  };
  for (const { server, client, scope, path } of configured) {
    const found = add(server, `${client} (${scope}): ${path}`);
    if (scope === "denied" && found !== undefined) found.denied = true;
  }
  for (const one of seen) {
    const known = [...all.values()].filter(({ name }) => name === one.name);
    const started = one.command !== undefined || one.url !== undefined;
    // A transcript knows the name only: its tools are those of the servers of that name.
    const targets = started ? [add(identityOf(one), "seen in the ledger")] : known;
    for (const target of targets) for (const tool of one.tools) target?.tools.add(tool);
  }
  return { proposed: [...all.values()], unclear };
}

/** A name that a policy can have; clients and repositories choose any. */
function policyName(name: string, taken: ReadonlySet<string>): string {
  const plain = name.replaceAll(/[^\w.@/-]/g, "_").slice(0, 100) || "server";
  const base = plain === "__proto__" ? "server" : plain;
  for (let i = 1; ; i++) {
    const tried = i === 1 ? base : `${base}-${i}`;
    if (!taken.has(tried)) return tried;
  }
}

const HEAD = ` A first inventory, from what clients on this machine are set up with and what was seen. Nobody has approved any of
 it: look at each server, give it owner, approved, approved_by and expires, and take out what should not be there.
 What may be a secret in a command line is *. See docs/guides/policy.md.`;

function write(proposed: readonly Proposed[]): string {
  const taken = new Set<string>();
  const document = new Document({ version: 1, mode: "observe", servers: {} });
  document.commentBefore = HEAD;
  for (const { name, server, from, tools, denied } of proposed) {
    const own = policyName(name, taken);
    taken.add(own);
    const usable = [...tools].filter((tool) => tool !== "__proto__" && tool.length <= 256);
    const node = document.createNode({
      ...(server.command === undefined ? { url: server.url } : { command: server.command }),
      ...(denied ? { default: "deny" } : {}),
      ...(usable.length === 0 || denied
        ? {}
        : { tools: Object.fromEntries(usable.map((tool) => [tool, "allow"])) }),
    });
    const command = node.get("command", true);
    if (isSeq(command)) command.flow = true;
    node.commentBefore = [...from].map((one) => ` ${one}`).join("\n");
    document.setIn(["servers", own], node);
  }
  return document.toString({ lineWidth: 120 });
}

/** Whether what was written there is the policy by that, and what makes it so. */
function standingOf(out: string, { path }: PolicyPlace): string {
  return resolve(out) === path
    ? "in force     as it is, in mode observe: review it"
    : `not in force: review it, then put it at ${path} or name it as policy: in the configuration`;
}

export async function discover(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    out: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = readArgs(argv, { options });
  const config = await readConfig(values.config);
  const { configured, problems } = await discoverClients(placesHere());
  const { proposed, unclear } = propose(configured, await seenIn(config));
  const wrong = [...problems, ...unclear];
  for (const problem of wrong) console.error(`not read    ${problem}`);
  if (values.json === true) {
    const servers = proposed.map(({ name, server, from, tools, denied }) => ({
      name,
      command: server.command,
      url: server.url,
      from: [...from],
      tools: [...tools],
      denied,
    }));
    console.log(JSON.stringify({ servers, not_read: wrong }));
  }
  const text = write(proposed);
  if (values.out !== undefined) {
    await writeOut(values.out, text, "wx");
    if (values.json !== true) {
      console.log(`wrote       ${values.out}: ${proposed.length} servers, none of them approved`);
      console.log(standingOf(values.out, policyPlace(config.policy, config.state_dir)));
    }
  } else if (values.json !== true) process.stdout.write(text);
  return 0;
}
