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
  readonly tmpfs: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
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
    expect(service.volumes).toContain(`./${file}:${service.environment["TAPLINE_CONFIG"]}:ro`);
    expect(service.volumes.some((volume) => volume.endsWith(`:${config.state_dir}`))).toBe(true);
    const asked = [...text(file).matchAll(/\/run\/secrets\/(\w+)/g)].map(([, secret]) => secret!);
    expect(asked.toSorted(), name).toEqual(service.secrets.map(({ target }) => target).toSorted());
    expect(service.healthcheck!.test.join(" ")).toContain(`http://${config.health!.listen}/readyz`);
    names.add(service.hostname!);
  }
  // A collector is named by its host: its ledger, and its member of the group.
  expect(names.size).toBe(collectors.length);
});

test("what the broker and its setup read is mounted, and nothing else", () => {
  for (const [name, { volumes, secrets }] of services.filter(([service]) => service.startsWith("kafka"))) {
    const mounted = volumes
      .filter((volume) => volume.startsWith("./"))
      .map((volume) => volume.slice(2).split(":"))
      .map(([file, at]) => ({ file: file!, at: at! }));
    const read = mounted.map(({ file }) => text(file)).join("\n");
    const command = mounted.find(({ file }) => file.endsWith(".sh"))!.at;
    const asked = [command, ...[...read.matchAll(/\/etc\/tapline\/[\w.-]+/g)].map(([path]) => path)];
    expect([...new Set(asked)].toSorted(), name).toEqual(mounted.map(({ at }) => at).toSorted());
    const held = [...read.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, secret]) => secret!);
    expect([...new Set(held)].toSorted(), name).toEqual(secrets.map(({ target }) => target).toSorted());
  }
});

test("the broker writes no file of logs: its root is read-only, and /tmp is memory", () => {
  expect(text("kafka.sh")).toMatch(
    /^export KAFKA_LOG4J_OPTS=\S+kafka-log\.properties EXTRA_ARGS="-name kafka"$/m,
  );
  expect(
    [...text("kafka-log.properties").matchAll(/^appender\.\w+\.type=(.*)$/gm)].map(([, type]) => type),
  ).toEqual(["Console"]);
});

test("of Kafka's image no volume is left over, and the broker may load what it unpacks into /tmp", () => {
  for (const [name, { volumes, tmpfs }] of services.filter(([service]) => service.startsWith("kafka"))) {
    const covered = [
      ...volumes.map((volume) => volume.split(":")[1]!),
      ...tmpfs.map((one) => one.split(":")[0]!),
    ];
    // What the image apache/kafka declares as volumes.
    for (const path of ["/var/lib/kafka/data", "/etc/kafka/secrets", "/mnt/shared/config"])
      expect([name, path, covered.includes(path)]).toEqual([name, path, true]);
  }
  const temporary = compose.services["kafka"]!.tmpfs.find((one) => one.startsWith("/tmp:"))!;
  expect(temporary.split(":")[1]!.split(",")).toContain("exec");
});

test("the builder gets what the Dockerfile copies", () => {
  const lines = (file: string): string[] => readFileSync(file, "utf8").split("\n");
  const sent = lines(".dockerignore").flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
  const copied = lines("Dockerfile").flatMap((line) =>
    line.startsWith("COPY ") && !line.includes("--from=") ? line.split(" ").slice(1, -1) : [],
  );
  expect(copied.length).toBeGreaterThan(10);
  const covers = (path: string): boolean =>
    sent.some((one) => path === one || path.startsWith(`${one}/`) || one.startsWith(`${path}/`));
  expect(copied.filter((path) => !covers(path) || !existsSync(path))).toEqual([]);
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
