// The inventory as values for the rest: lists for the placeholders of rules, and answers for enrichment. Pure but for
// caches of names; events are the attacker's text, so the caches are bounded.
import type { Event } from "../core/generated/event.ts";
import type { ToolClass } from "../core/generated/tools.ts";
import type { Inventory } from "../core/inventory.ts";
import { LIMITS } from "../core/limits.ts";
import { type CompiledPolicy, type DataClass, type Named } from "./compiled.ts";
import { matches } from "./glob.ts";
import { matchServer } from "./identity.ts";
import { type HostPattern, below, directory, hostIn, hostMatches, hostPattern, pathsOf } from "./places.ts";

/** Literal text, or a pattern with `*`. */
type Value = string | { readonly pattern: string };

const valueOf = (text: string): Value => (text.includes("*") ? { pattern: text } : text);

/** Values of the placeholders that rules on the inventory use. Releases are no part of it: what a server calls itself is
 * another name than its package's. */
export function placeholdersOf({ servers }: CompiledPolicy): Readonly<Record<string, readonly Value[]>> {
  const tools: Value[] = [];
  const commands: Value[] = [];
  const urls: Value[] = [];
  for (const { name, command, url, fallback, tools: lines } of servers) {
    if (fallback.verdict !== "deny") tools.push({ pattern: `${name}/*` });
    for (const [pattern, { verdict }] of Object.entries(lines))
      if (verdict !== "deny") tools.push(valueOf(`${name}/${pattern}`));
    if (command !== undefined) commands.push(valueOf(command.join(" ").replace(/ \*\*$/, "*")));
    if (url !== undefined) urls.push(valueOf(url));
  }
  return {
    sanctioned_servers: servers.map(({ name }) => name),
    sanctioned_tools: tools,
    sanctioned_commands: commands,
    sanctioned_urls: urls,
  };
}

/** An address that names no file here. */
const ELSEWHERE = /^(?!file:)[a-z][a-z0-9+.-]*:\/\//i;

interface Places {
  readonly classification: string;
  readonly directories: readonly string[];
  readonly hosts: readonly HostPattern[];
  readonly servers: readonly string[];
}

function classOf(lines: Named, tool: string): ToolClass | undefined {
  if (Object.hasOwn(lines, tool) && lines[tool]!.class !== undefined) return lines[tool]!.class;
  for (const pattern in lines) {
    if (pattern.includes("*") && lines[pattern]!.class !== undefined && matches(pattern, tool))
      return lines[pattern]!.class;
  }
  return undefined;
}

class Known implements Inventory {
  readonly #policy: CompiledPolicy;
  readonly #home: string;
  readonly #data: readonly Places[];
  readonly #classes = new Map<string, ToolClass | undefined>();
  readonly #sanctioned = new Map<string, boolean>();

  constructor(policy: CompiledPolicy, home: string) {
    this.#policy = policy;
    this.#home = home;
    this.#data = policy.data.map(({ classification, paths, hosts, servers }: DataClass) => ({
      classification,
      directories: paths.map((path) => directory(path, home)),
      hosts: hosts.flatMap((host) => hostPattern(host) ?? []),
      servers,
    }));
  }

  toolClass(server: string | undefined, tool: string): ToolClass | undefined {
    const key = server === undefined ? tool : `${server}\u0000${tool}`;
    if (this.#classes.has(key)) return this.#classes.get(key);
    const entry = server === undefined ? undefined : this.#policy.servers.find(({ name }) => name === server);
    const found =
      server === undefined
        ? classOf(this.#policy.agent_tools, tool)
        : entry && (classOf(entry.tools, tool) ?? entry.class);
    if (this.#classes.size >= LIMITS.tool_classes) this.#classes.clear();
    if (key.length <= LIMITS.state_key_chars) this.#classes.set(key, found);
    return found;
  }

  sanctioned(name: string, command: string | undefined, url: string | undefined): boolean | undefined {
    if (command === undefined && url === undefined) return undefined;
    const key = url ?? command!;
    let found = this.#sanctioned.get(key);
    if (found === undefined) {
      const server =
        url === undefined
          ? ({ name, transport: "stdio", command: command!.split(" ") } as const)
          : ({ name, transport: "http", url } as const);
      const all = this.#policy.servers.map((entry) => matchServer(entry, server));
      found = all.includes("yes") && !all.includes("version");
      if (this.#sanctioned.size >= LIMITS.tool_classes) this.#sanctioned.clear();
      if (key.length <= LIMITS.state_key_chars) this.#sanctioned.set(key, found);
    }
    return found;
  }

  labels(e: Event): string[] | undefined {
    let labels: string[] | undefined;
    for (const places of this.#data) {
      if (!this.#reaches(e, places) || labels?.includes(places.classification) === true) continue;
      (labels ??= []).push(places.classification);
    }
    return labels;
  }

  #reaches(e: Event, { directories, hosts, servers }: Places): boolean {
    const server = e["tapline.server.name"];
    if (server !== undefined && servers.includes(server)) return true;
    const targets = e["tapline.data.targets"] ?? [];
    if (directories.length > 0) {
      const cwd = e["process.working_directory"];
      if (
        [e["file.path"], e["mcp.resource.uri"], ...targets].some((path) =>
          this.#isBelow(path, cwd, directories),
        )
      )
        return true;
    }
    if (hosts.length === 0) return false;
    return [e["url.domain"], e["destination.domain"], e["server.address"], ...targets].some((name) => {
      const host = name === undefined ? undefined : hostIn(name);
      return (
        host !== undefined && hosts.some((pattern) => hostMatches({ ...pattern, port: undefined }, host))
      );
    });
  }

  #isBelow(path: string | undefined, cwd: string | undefined, directories: readonly string[]): boolean {
    if (path === undefined || ELSEWHERE.test(path)) return false;
    const paths = pathsOf(path, { home: this.#home, cwd });
    return paths?.some((one) => directories.some((dir) => below(one, dir))) === true;
  }
}

/** Answers by a policy; undefined where it says nothing that enrichment could use. */
export function inventoryOf(policy: CompiledPolicy | undefined, home: string): Inventory | undefined {
  return policy === undefined ? undefined : new Known(policy, home);
}
