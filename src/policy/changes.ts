// What differs between two policies, one change for each server, grant, role, default and label: what an auditor asks
// for. Pure.
import { canonical } from "../core/digest.ts";
import type { CompiledPolicy, CompiledServer, Named } from "./compiled.ts";

export interface Change {
  readonly what: "inventory-change" | "grant-change";
  /** Its place in the policy. */
  readonly item: string;
  readonly kind: "added" | "removed" | "changed";
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  /** As JSON. */
  readonly old?: string | undefined;
  readonly now?: string | undefined;
}

interface Item extends Pick<Change, "what" | "server" | "tool"> {
  readonly said: string;
}

const KINDS = ["tools", "resources", "prompts", "requests"] as const;

/** Everything a policy says, by its place. */
function itemsOf(policy: CompiledPolicy | undefined): Map<string, Item> {
  const items = new Map<string, Item>();
  if (policy === undefined) return items;
  const grants = (lines: Named, place: string, server?: string): void => {
    for (const [tool, line] of Object.entries(lines))
      items.set(`${place}.${tool}`, { what: "grant-change", server, tool, said: canonical(line) });
  };
  items.set("mode", { what: "grant-change", said: canonical(policy.mode) });
  for (const [name, one] of Object.entries(policy.defaults))
    items.set(`defaults.${name}`, { what: "grant-change", said: canonical(one) });
  for (const server of policy.servers) {
    const place = `servers.${server.name}`;
    items.set(place, { what: "inventory-change", server: server.name, said: canonical(own(server)) });
    for (const kind of KINDS) grants(server[kind], `${place}.${kind}`, server.name);
  }
  grants(policy.agent_tools, "agent_tools");
  for (const role of policy.roles)
    items.set(`roles.${role.name}`, { what: "grant-change", said: canonical(role) });
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
    const kind = a === undefined ? "added" : b === undefined ? "removed" : "changed";
    changes.push({ what, item, kind, server, tool, old: a?.said, now: b?.said });
  }
  return changes.toSorted((a, b) => (a.item < b.item ? -1 : 1));
}
