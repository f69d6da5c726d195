// What the inventory gives to rules and to enrichment: lists for placeholders, classes, labels, what is sanctioned.
import { expect, test } from "vitest";
import { type Event, newEvent } from "../../src/core/generated/event.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { withInventory } from "../../src/engine.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { inventoryOf, placeholdersOf } from "../../src/policy/values.ts";
import { HOME } from "./make.ts";

const policy = parsePolicy(
  `version: 1
servers:
  github: { package: "@x/github", version: "^1.2", default: deny, tools: { get_*: allow, push: ask, drop: deny } }
  files: { command: [/opt/files, --root, "*", "**"], class: private, tools: { send: { class: egress } } }
  web: { url: "https://web.example/*", tools: { fetch: { class: untrusted } } }
agent_tools: { Bash: { class: egress }, "Web*": { class: untrusted } }
data:
  - { classification: confidential, paths: [~/clients, /etc/keys], hosts: [crm.example, "*.db.example"] }
  - { classification: personal, servers: [files] }
`,
  "policy",
);
const inventory = inventoryOf(policy, HOME)!;

function event(fields: Partial<Event>): Event {
  return Object.assign(newEvent(), fields);
}

test("lists for placeholders, where a list can say it", () => {
  expect(placeholdersOf(policy)).toEqual({
    sanctioned_servers: ["github", "files", "web"],
    sanctioned_tools: [
      { pattern: "github/get_*" },
      "github/push",
      { pattern: "files/*" },
      "files/send",
      { pattern: "web/*" },
      "web/fetch",
    ],
    sanctioned_commands: [{ pattern: "/opt/files --root **" }],
    sanctioned_urls: [{ pattern: "https://web.example/*" }],
  });
  expect(inventoryOf(undefined, HOME)).toBeUndefined();
});

test("rules meet patterns of the inventory and lists of the configuration together", () => {
  const text = `title: T
id: 5a1d2f3a-8a55-4f0e-8a57-2f3f2f4cdb11
logsource: { product: tapline }
detection:
  s: { tapline.tool.qualified|expand: '%sanctioned_tools%' }
  condition: s
`;
  const placeholders = withInventory({ sanctioned_tools: ["own/tool"] }, policy);
  const set = compileRules(parseRules(text, "t.yml").rules, { placeholders });
  expect(set.problems).toEqual([]);
  const found = (qualified: string): boolean => {
    const e = event({ "event.action": "tool-call", "tapline.tool.qualified": qualified });
    const out: number[] = [];
    set.match(e, out);
    return out.length > 0;
  };
  expect(
    ["github/get_issue", "github/push", "github/drop", "github/pushy", "files/anything", "own/tool"].map(
      found,
    ),
  ).toEqual([true, true, false, false, true, true]);
});

test("classes, by the line that names the tool, else by the server", () => {
  expect(inventory.toolClass("files", "send")).toBe("egress");
  expect(inventory.toolClass("files", "read")).toBe("private");
  expect(inventory.toolClass("web", "other")).toBeUndefined();
  expect(inventory.toolClass("nobody", "fetch")).toBeUndefined();
  expect(inventory.toolClass(undefined, "Bash")).toBe("egress");
  expect(inventory.toolClass(undefined, "WebFetch")).toBe("untrusted");
  expect(inventory.toolClass(undefined, "__proto__")).toBeUndefined();
});

test("what is sanctioned, as at the chokepoint", () => {
  expect(inventory.sanctioned("github", "npx -y @x/github@1.4.0", undefined)).toBe(true);
  expect(inventory.sanctioned("github", "npx -y @x/github@2.0.0", undefined)).toBe(false);
  expect(inventory.sanctioned("github", "node github.js", undefined)).toBe(false);
  expect(inventory.sanctioned("x", undefined, "https://web.example/a?b")).toBe(true);
  expect(inventory.sanctioned("web", undefined, undefined)).toBeUndefined();
});

test("labels of the data that a call reaches", () => {
  const of = (fields: Partial<Event>) => inventory.labels(event(fields));
  expect(of({ "file.path": "/home/ada/clients/a" })).toEqual(["confidential"]);
  expect(of({ "file.path": "~/x/../clients/a" })).toEqual(["confidential"]);
  expect(of({ "file.path": "clients/a", "process.working_directory": HOME })).toEqual(["confidential"]);
  expect(of({ "file.path": "clients/a" })).toBeUndefined();
  expect(of({ "file.path": "/etc/keys2" })).toBeUndefined();
  expect(of({ "url.domain": "a.db.example" })).toEqual(["confidential"]);
  expect(of({ "destination.domain": "crm.example", "tapline.server.name": "files" })).toEqual([
    "confidential",
    "personal",
  ]);
  expect(of({ "url.domain": "db.example" })).toBeUndefined();
  expect(of({ "mcp.resource.uri": "file:///etc/keys/a" })).toEqual(["confidential"]);
  expect(of({ "tapline.data.targets": ["/tmp/a", "/etc/keys/b"] })).toEqual(["confidential"]);
  expect(of({ "tapline.data.targets": ["https://a.db.example/x"] })).toEqual(["confidential"]);
  const inside = { "process.working_directory": "/etc/keys" };
  expect(of({ "mcp.resource.uri": "https://other.example/", ...inside })).toBeUndefined();
});
