// What differs between two policies, one change for each server, grant, role, default and label: what an auditor asks
// for. Pure.
import { canonical } from "../core/digest.ts";
import type { Action } from "../core/generated/classes.ts";
import { EMPTY_POLICY, type CompiledPolicy, type CompiledServer, type Named } from "./compiled.ts";
import {
  type Demands,
  NO_ROLE,
  afterLine,
  around,
  beforeLine,
  isLooser,
  ofFallback,
  ofLine,
  ofMode,
  ofRole,
  ofServer,
  ofUnknown,
} from "./loosens.ts";

export interface Change {
  readonly what: Extract<Action, "inventory-change" | "grant-change">;
  /** Its place in the policy. */
  readonly item: string;
  readonly kind: "added" | "removed" | "changed";
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  /** As JSON. */
  readonly old?: string | undefined;
  readonly now?: string | undefined;
  /** What was refused or asked before may pass now. */
  readonly loosens: boolean;
}

interface Item extends Pick<Change, "what" | "server" | "tool"> {
  readonly said: string;
  /** Absent where nothing is decided by it. */
  readonly demands?: Demands | undefined;
  /** What was demanded before it came, and what is once it is gone, in a policy that does not have it. */
  readonly before?: ((policy: CompiledPolicy | undefined) => Demands) | undefined;
  readonly after?: ((policy: CompiledPolicy | undefined) => Demands) | undefined;
}

const KINDS = ["tools", "resources", "prompts", "requests"] as const;

const noRole = (): Demands => NO_ROLE;
const noMode = (): Demands => ofMode(EMPTY_POLICY.mode);

/** Lines of a server, or those on the agent's own tools where none is named. */
function linesOf(
  policy: CompiledPolicy | undefined,
  kind: (typeof KINDS)[number],
  server: string | undefined,
): Named {
  if (server === undefined) return policy?.agent_tools ?? {};
  return policy?.servers.find(({ name }) => name === server)?.[kind] ?? {};
}

/** Everything a policy says, by its place. */
function itemsOf(policy: CompiledPolicy | undefined): Map<string, Item> {
  const items = new Map<string, Item>();
  if (policy === undefined) return items;
  const put = (place: string, value: unknown, item: Omit<Item, "said">): void => {
    items.set(place, { ...item, said: canonical(value) });
  };
  const grants = (place: string, kind: (typeof KINDS)[number], server?: string): void => {
    const stands = around(policy, server);
    const before = (other: CompiledPolicy | undefined): Demands => beforeLine(around(other, server));
    const after = (other: CompiledPolicy | undefined): Demands =>
      afterLine(around(other, server), Object.values(linesOf(other, kind, server)));
    for (const [tool, line] of Object.entries(linesOf(policy, kind, server))) {
      const demands = ofLine(line, stands);
      put(`${place}.${tool}`, line, { what: "grant-change", server, tool, demands, before, after });
    }
  };
  put("mode", policy.mode, {
    what: "grant-change",
    demands: ofMode(policy.mode),
    before: noMode,
    after: noMode,
  });
  for (const [name, one] of Object.entries(policy.defaults)) {
    const none = (): Demands => ofFallback(EMPTY_POLICY.defaults[name as keyof CompiledPolicy["defaults"]]);
    put(`defaults.${name}`, one, {
      what: "grant-change",
      demands: ofFallback(one),
      before: none,
      after: none,
    });
  }
  for (const server of policy.servers) {
    const { name } = server;
    put(`servers.${name}`, own(server), {
      what: "inventory-change",
      server: name,
      demands: ofServer(server),
      before: ofUnknown,
      after: ofUnknown,
    });
    for (const kind of KINDS) grants(`servers.${name}.${kind}`, kind, name);
  }
  grants("agent_tools", "tools");
  for (const role of policy.roles)
    put(`roles.${role.name}`, role, {
      what: "grant-change",
      demands: ofRole(role),
      before: noRole,
      after: noRole,
    });
  for (const one of policy.data) {
    const place = `data.${one.classification}`;
    const before = items.get(place);
    const said = before === undefined ? canonical(one) : `${before.said} ${canonical(one)}`;
    items.set(place, { what: "inventory-change", said });
  }
  return items;
}

/** A server without its lines, which are items of their own. */
function own(server: CompiledServer): Record<string, unknown> {
  const rest: Record<string, unknown> = { ...server };
  for (const kind of KINDS) delete rest[kind];
  return rest;
}

/** Changes from one policy to the next, in the order of their places. */
export function changesOf(before: CompiledPolicy | undefined, after: CompiledPolicy | undefined): Change[] {
  const [old, now] = [itemsOf(before), itemsOf(after)];
  const changes: Change[] = [];
  for (const item of new Set([...old.keys(), ...now.keys()])) {
    const [a, b] = [old.get(item), now.get(item)];
    if (a?.said === b?.said) continue;
    const { what, server, tool } = (b ?? a)!;
    const from = a === undefined ? b?.before?.(before) : a.demands;
    const to = b === undefined ? a?.after?.(after) : b.demands;
    const loosens = from !== undefined && to !== undefined && isLooser(from, to);
    const kind = a === undefined ? "added" : b === undefined ? "removed" : "changed";
    changes.push({ what, item, kind, server, tool, old: a?.said, now: b?.said, loosens });
  }
  return changes.toSorted((a, b) => (a.item < b.item ? -1 : 1));
}
