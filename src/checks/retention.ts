// Retention in force: what the servers say when they delete documents, held against what the configuration states. Asks
// with the sink's own user, changes nothing.
import type { Typed } from "../components.ts";
import { reasonOf } from "../core/errors.ts";
import { listed } from "../core/words.ts";
import type { Server } from "../sinks/connection.ts";
import { connect } from "../sinks/setup.ts";
import { type Engine, PATTERN, isEngine } from "../sinks/setup-plan.ts";
import type { Finding } from "./contract.ts";

const BACKING = ".ds-logs-tapline.*";
const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3_600_000, m: 60_000, s: 1_000 };

/** What one index or stream is under. */
interface Held {
  readonly index: string;
  /** Name of the policy, or undefined where nothing deletes it. */
  readonly policy: string | undefined;
  /** Days until deletion, where that is told with the index. */
  readonly days?: number | undefined;
}

/** A server that does not tell. */
class Untold extends Error {}

export async function judgeRetention(
  sinks: readonly (readonly [string, Typed])[],
  retention_days: number,
  signal: AbortSignal,
): Promise<Finding> {
  const servers = sinks.filter(([, { type }]) => isEngine(type));
  if (servers.length === 0)
    return { outcome: "unknown", detail: "no sink is a server whose retention could be read" };
  const wrong: string[] = [];
  const untold: string[] = [];
  const right: string[] = [];
  for (const [name, options] of servers) {
    try {
      const said = await ofServer(options, retention_days, signal);
      if (said === undefined) right.push(name);
      else wrong.push(`${name}: ${said}`);
    } catch (error) {
      untold.push(`${name}: ${reasonOf(error)}`);
    }
  }
  const stated = `${retention_days} days`;
  if (wrong.length > 0)
    return {
      outcome: "fail",
      detail: `retention is not the ${stated} that are stated: ${wrong.join("; ")}`,
      about: wrong.join(),
    };
  if (untold.length > 0)
    return { outcome: "unknown", detail: `retention could not be read: ${untold.join("; ")}` };
  return {
    outcome: "pass",
    detail: `documents are deleted after ${stated} as stated, by the policy in force: ${listed(right)}`,
  };
}

/** What is not as stated, or undefined. Throws Untold, TaplineError. */
async function ofServer(options: Typed, stated: number, signal: AbortSignal): Promise<string | undefined> {
  const engine = options.type as Engine;
  // The configuration was checked by the very schema of the sink.
  const server = await connect(engine, options as never);
  try {
    const found = engine === "elasticsearch" ? await ofElastic(server, signal) : await ofOpen(server, signal);
    if (found.length === 0) throw new Untold("there are no documents yet");
    const bare = found.filter(({ policy, days }) => policy === undefined && days === undefined);
    if (bare.length > 0) return `nothing deletes ${listed(bare.map(({ index }) => index))}`;
    const days = new Map<string, number | undefined>();
    for (const { policy, days: told } of found) {
      if (policy === undefined) days.set("data stream lifecycle", told);
      else if (!days.has(policy)) days.set(policy, await daysOf(engine, server, policy, signal));
    }
    const other = [...days].filter(([, one]) => one !== stated);
    if (other.length === 0) return undefined;
    return other
      .map(([policy, one]) =>
        one === undefined ? `${policy} deletes nothing` : `${policy} deletes after ${one} days`,
      )
      .join(", ");
  } finally {
    await server.close();
  }
}

async function get(server: Server, path: string, signal: AbortSignal): Promise<unknown> {
  const { status, text } = await server.request("GET", path, {}, undefined, signal);
  if (status === 404) return undefined;
  if (status === 401 || status === 403)
    throw new Untold(
      `the sink's user may not read it (${status}): \`tapline setup\` gives its role the right`,
    );
  // Both engines say so of a path that no module of theirs knows.
  if (status === 405 || (status === 400 && text.includes("no handler found")))
    throw new Untold("the server has no lifecycle management");
  if (status !== 200) throw new Untold(`the server answered ${status} to GET ${path}`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Untold(`the server's answer to GET ${path} is no JSON`);
  }
}

interface DataStreams {
  readonly data_streams?: readonly {
    readonly name: string;
    readonly ilm_policy?: string;
    readonly lifecycle?: { readonly enabled?: boolean; readonly data_retention?: string };
    readonly indices?: readonly {
      readonly index_name: string;
      readonly ilm_policy?: string;
      readonly managed_by?: string;
    }[];
  }[];
}

async function ofElastic(server: Server, signal: AbortSignal): Promise<Held[]> {
  const found = (await get(server, `/_data_stream/${PATTERN}`, signal)) as DataStreams | undefined;
  const ilm = (await get(server, "/_ilm/status", signal)) as { operation_mode?: string } | undefined;
  const running = ilm?.operation_mode === "RUNNING";
  return (found?.data_streams ?? []).flatMap(({ name, ilm_policy, lifecycle, indices = [] }): Held[] => {
    const retention = lifecycle?.enabled === false ? undefined : lifecycle?.data_retention;
    const days = retention === undefined ? undefined : daysIn(retention);
    return (indices.length === 0 ? [{ index_name: name, ilm_policy }] : indices).map((one) => {
      const policy = one.ilm_policy ?? ilm_policy;
      const byLifecycle = "managed_by" in one && one.managed_by === "Data stream lifecycle";
      if (byLifecycle || policy === undefined) return { index: one.index_name, policy: undefined, days };
      // A lifecycle that is stopped deletes nothing.
      return { index: one.index_name, policy: running ? policy : undefined };
    });
  });
}

async function ofOpen(server: Server, signal: AbortSignal): Promise<Held[]> {
  const found = (await get(server, `/_plugins/_ism/explain/${BACKING}`, signal)) as
    | Record<string, { policy_id?: string | null; enabled?: boolean | null }>
    | undefined;
  return Object.entries(found ?? {})
    .filter(([index]) => index.startsWith(".ds-"))
    .map(([index, { policy_id, enabled }]) => ({
      index,
      policy: enabled === false ? undefined : (policy_id ?? undefined),
    }));
}

interface Ism {
  readonly policy?: {
    readonly states?: readonly {
      readonly name: string;
      readonly actions?: readonly Readonly<Record<string, unknown>>[];
      readonly transitions?: readonly {
        readonly state_name: string;
        readonly conditions?: { readonly min_rollover_age?: string; readonly min_index_age?: string };
      }[];
    }[];
  };
}
type Ilm = Record<
  string,
  { policy?: { phases?: { delete?: { min_age?: string; actions?: { delete?: object } } } } }
>;

/** Days after which a policy deletes; undefined when it never does. */
async function daysOf(
  engine: Engine,
  server: Server,
  name: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const place = encodeURIComponent(name);
  if (engine === "elasticsearch") {
    const found = (await get(server, `/_ilm/policy/${place}`, signal)) as Ilm | undefined;
    const phase = found?.[name]?.policy?.phases?.delete;
    return phase?.actions?.delete === undefined ? undefined : daysIn(phase.min_age ?? "0d");
  }
  const found = (await get(server, `/_plugins/_ism/policies/${place}`, signal)) as Ism | undefined;
  const states = found?.policy?.states ?? [];
  const deleting = states.filter(({ actions = [] }) => actions.some((one) => "delete" in one));
  const ages = states
    .flatMap(({ transitions = [] }) => transitions)
    .filter(({ state_name }) => deleting.some(({ name: state }) => state === state_name))
    .map(({ conditions }) => daysIn(conditions?.min_rollover_age ?? conditions?.min_index_age ?? "0d"));
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** Days in an age such as 400d; not a number where it is none. */
function daysIn(age: string): number {
  const [, count, unit] = /^(\d+)(ms|d|h|m|s)$/.exec(age) ?? [];
  return unit === "ms"
    ? Number(count) / DAY_MS
    : (Number(count) * (UNIT_MS[unit ?? ""] ?? Number.NaN)) / DAY_MS;
}
