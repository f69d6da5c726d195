// The files of deploy/: configurations are ones that the product takes, every mount, secret and port of compose.yml is there for
// what names it, and every container is held down. Starts no container.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../src/config.ts";

interface Service {
  readonly hostname?: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly secrets: readonly { readonly source: string; readonly target: string }[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const text = (name: string): string => readFileSync(`deploy/${name}`, "utf8");
const compose = parse(text("compose.yml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const collectors = services.filter(([name]) => !name.startsWith("kafka"));

test("no container is root, can write outside its volumes, or gains a right", () => {
  expect(services.length).toBe(5);
  for (const [name, service] of services) {
    const { user, read_only, cap_drop, security_opt } = service;
    expect({ name, user, read_only, cap_drop, security_opt }).toEqual({
      name,
      user: "1000:1000",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
  expect(compose.networks["bus"]).toEqual({ internal: true });
});

test("what a service names is there: files, volumes, networks, secrets", () => {
  for (const [name, { volumes, networks, secrets }] of services) {
    for (const volume of volumes) {
      const from = volume.split(":")[0]!;
      if (from.startsWith("./"))
        expect([name, from, existsSync(`deploy/${from}`)]).toEqual([name, from, true]);
      else if (!from.startsWith("$")) expect(Object.keys(compose.volumes)).toContain(from);
    }
    for (const network of networks) expect(Object.keys(compose.networks)).toContain(network);
    for (const { source } of secrets) expect(Object.keys(compose.secrets)).toContain(source);
  }
});

test("configurations are ones that the product takes, and their secrets are mounted", () => {
  expect(collectors.map(([name]) => name)).toEqual(["agent", "central-1", "central-2"]);
  const names = new Set<string>();
  for (const [name, service] of collectors) {
    const file = /\.\/(\w+\.yml):\/etc\/tapline/.exec(service.volumes.join(" "))![1]!;
    const config = parseConfig(text(file), file);
    expect(service.volumes.some((volume) => volume.endsWith(`:${config.state_dir}`))).toBe(true);
    const asked = [...text(file).matchAll(/\/run\/secrets\/(\w+)/g)].map(([, secret]) => secret!);
    expect(asked.toSorted(), name).toEqual(service.secrets.map(({ target }) => target).toSorted());
    expect(service.healthcheck!.test.join(" ")).toContain(`http://${config.health!.listen}/readyz`);
    names.add(service.hostname!);
  }
  // A collector is named by its host: its ledger, and its member of the group.
  expect(names.size).toBe(collectors.length);
});

test("topics and clients of the configurations are those that get rights", () => {
  const rights = text("kafka-setup.sh");
  const agent = parseConfig(text("agent.yml"), "agent.yml").sinks["central"] as unknown as { topic: string };
  const { topics, matches, group } = parseConfig(text("central.yml"), "central.yml").sources[
    "hosts"
  ] as unknown as {
    topics: string[];
    matches: string;
    group: string;
  };
  expect(topics).toEqual([agent.topic]);
  for (const topic of [...topics, matches]) expect(rights).toMatch(new RegExp(`^topic ${topic}$`, "m"));
  const allowed = [...rights.matchAll(/^allow (.*)$/gm)].map(([, line]) => line!);
  expect(allowed).toEqual([
    `agent --operation Write --operation Describe --topic ${agent.topic}`,
    `central --operation Read --operation Describe --topic ${topics[0]}`,
    `central --operation Read --operation Write --operation Describe --topic ${matches}`,
    `central --operation Read --group ${group}`,
  ]);
});
