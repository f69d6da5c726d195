// Installs what the sinks need in a server: lifecycle policy, templates, a role that can only create. Asks first
// what the server can do, installs the rest and names what it left out. Idempotent. Dashboards are the task of front-end.ts.
import { TaplineError } from "../core/errors.ts";
import { excerpt, refused } from "./answer.ts";
import type { Answer, Server } from "./connection.ts";
import { type ElasticsearchOptions, connectElasticsearch } from "./elasticsearch.ts";
import { planCheckpoints } from "./checkpoint-setup.ts";
import { STATE_INDEX } from "./incident-setup.ts";
import { isThere } from "./monitors.ts";
import { type OpenSearchOptions, connectOpenSearch } from "./opensearch.ts";
import { type Engine, type Part, PATTERN, generated, plan } from "./setup-plan.ts";

export interface SetupResult {
  /** "opensearch 3.6.0", as far as the server says. */
  readonly server: string;
  readonly installed: readonly string[];
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}

/** Connects with the options of a sink of that type, as its configuration schema gives them. */
export function connect(engine: Engine, options: ElasticsearchOptions & OpenSearchOptions): Promise<Server> {
  return engine === "elasticsearch" ? connectElasticsearch(options) : connectOpenSearch(options);
}

/** Installs what an anchor needs that takes checkpoints there, and nothing else. Throws as `setup` does. */
export async function setupCheckpoints(
  engine: Engine,
  server: Server,
  signal: AbortSignal,
): Promise<SetupResult> {
  return installAll(engine, server, planCheckpoints(engine), signal);
}

/** Installs what the server can take. Throws TaplineError when it cannot be reached, refuses the user, or refuses
 * a template; what it lacks altogether is in `missing`. */
export async function setup(
  engine: Engine,
  server: Server,
  options: { retention_days: number; signal: AbortSignal },
): Promise<SetupResult> {
  const { signal } = options;
  const result = await installAll(engine, server, await plan(engine, options.retention_days), signal);
  const mapped = await updateMappings(engine, server, signal);
  if (mapped === undefined) return result;
  return {
    ...result,
    missing: [...result.missing, { name: "mappings of existing streams", reason: mapped }],
  };
}

async function installAll(
  engine: Engine,
  server: Server,
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<SetupResult> {
  const installed: string[] = [];
  const missing: { name: string; reason: string }[] = [];
  const version = await versionOf(engine, server, signal);
  for (const part of parts) {
    const reason = await install(server, part, missing, signal);
    if (reason === undefined) installed.push(part.name);
    else missing.push({ name: part.name, reason });
  }
  return { server: version, installed, missing };
}

/** Why a part was left out, or undefined when it is in place. */
async function install(
  server: Server,
  part: Part,
  missing: readonly { name: string }[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (missing.some((left) => left.name === part.after)) return `goes with the ${part.after}`;
  let query = {};
  if (part.probe !== undefined) {
    const answer = await server.request("GET", part.probe.path, {}, undefined, signal);
    if (answer.status === 401) throw refused(401, excerpt(answer));
    if (!part.probe.able.includes(answer.status))
      return `the server cannot: ${answer.status} ${excerpt(answer)}`;
    query = answer.status === 200 ? versionQuery(answer) : {};
  }
  const body = { bytes: JSON.stringify(part.body), type: "json" } as const;
  if (part.named !== undefined) {
    const there = await isThere(server, part.path, part.named, signal);
    if (typeof there === "object") return `the server cannot: ${there.status} ${excerpt(there)}`;
    if (there) return undefined;
  }
  if (part.once === true) {
    const there = await server.request("GET", part.path, {}, undefined, signal);
    if (there.status === 401 || there.status === 403) throw refused(there.status, excerpt(there));
    if (there.status === 200) return undefined;
  }
  const method = part.named === undefined ? "PUT" : "POST";
  const answer = await server.request(method, part.path, query, body, signal);
  if (answer.status < 300) return undefined;
  if ((part.probe ?? part.named ?? part.once) !== undefined && answer.status !== 401)
    return `the server refuses it: ${answer.status} ${excerpt(answer)}`;
  if (answer.status === 401 || answer.status === 403) throw refused(answer.status, excerpt(answer));
  throw new TaplineError(
    "SETUP_REFUSED",
    `the server refuses the ${part.name}: ${answer.status} ${excerpt(answer)}`,
  );
}

/** ISM replaces a policy only when told which version it replaces. */
function versionQuery(answer: Answer): Record<string, string> {
  const { _seq_no, _primary_term } = parse(answer) as { _seq_no?: number; _primary_term?: number };
  if (_seq_no === undefined || _primary_term === undefined) return {};
  return { if_seq_no: String(_seq_no), if_primary_term: String(_primary_term) };
}

/** Streams made under an older template get its new fields too. Types cannot change: those wait for a rollover. */
async function updateMappings(
  engine: Engine,
  server: Server,
  signal: AbortSignal,
): Promise<string | undefined> {
  const names = `${PATTERN},${STATE_INDEX}*`;
  const found = await server.request("GET", `/_resolve/index/${names}`, {}, undefined, signal);
  if (found.status !== 200) return `the server does not list its streams: ${found.status} ${excerpt(found)}`;
  const { data_streams = [], indices = [] } = parse(found) as {
    data_streams?: { name: string }[];
    indices?: { name: string }[];
  };
  const state = (await generated(engine, `index-${STATE_INDEX}`)) as { mappings: unknown };
  const file = engine === "elasticsearch" ? "component-tapline@mappings" : "index-logs-tapline";
  const { template: body } = (await generated(engine, file)) as { template: { mappings: unknown } };
  const targets = data_streams.map(({ name }) => ({ name, mappings: body.mappings }));
  if (indices.some(({ name }) => name === STATE_INDEX))
    targets.push({ name: STATE_INDEX, mappings: state.mappings });
  for (const { name, mappings } of targets) {
    const path = `/${encodeURIComponent(name)}/_mapping`;
    const sent = { bytes: JSON.stringify(mappings), type: "json" } as const;
    const answer = await server.request("PUT", path, { write_index_only: "true" }, sent, signal);
    const when = name === STATE_INDEX ? "once it is deleted and built anew" : "from its next rollover";
    if (answer.status >= 300) return `${name}, in force ${when}: ${answer.status} ${excerpt(answer)}`;
  }
  return undefined;
}

async function versionOf(engine: Engine, server: Server, signal: AbortSignal): Promise<string> {
  const answer = await server.request("GET", "/", {}, undefined, signal);
  if (answer.status === 401) throw refused(401, excerpt(answer));
  // Some servers do not say who they are; the templates do not depend on it.
  const { version } = parse(answer) as { version?: { number?: string } };
  return version?.number === undefined ? `${engine}, version unknown` : `${engine} ${version.number}`;
}

function parse(answer: Answer): object {
  try {
    const value: unknown = JSON.parse(answer.text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
