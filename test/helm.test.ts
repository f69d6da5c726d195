// The Helm chart held against the product: versions, configurations, paths, the image's user. What it renders is looked at where
// there is a helm, on PATH or named by HELM. Starts nothing in a cluster.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { type Config, parseConfig } from "../src/config.ts";
import { VERSION } from "../src/version.ts";

const CHART = "deploy/helm/tapline";
const SECRETS = "/etc/tapline/secrets/";
const ROLES = ["agent", "central"] as const;

interface Raw {
  state_dir: string;
  health: { listen: string };
  sources: Record<string, Record<string, unknown>>;
  [key: string]: unknown;
}
interface Role {
  secret: string;
  config: Raw;
  [key: string]: unknown;
}
type Values = Record<(typeof ROLES)[number], Role> & Record<string, Record<string, unknown>>;

const text = (name: string): string => readFileSync(join(CHART, name), "utf8");
const values = (): Values => parse(text("values.yaml")) as Values;
const template = Object.fromEntries(ROLES.map((role) => [role, text(`templates/${role}.yaml`)]));
const configOf = (raw: unknown, name: string): Config => parseConfig(stringify(raw), name);

/** Absolute paths that a configuration names, in whatever place; of a pattern the part before it. */
function pathsIn(value: unknown): string[] {
  if (typeof value === "string") return /^\/[\w.-]/.test(value) ? [value.replace(/\/[^/]*\*.*$/, "")] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}
const secretsIn = (value: unknown): string[] =>
  pathsIn(value).flatMap((path) => (path.startsWith(SECRETS) ? [path.slice(SECRETS.length)] : []));
const isBelow = (path: string, mounts: readonly string[]): boolean =>
  mounts.some((mount) => path === mount || path.startsWith(`${mount}/`));

test("the chart is for this version", () => {
  const chart = parse(text("Chart.yaml")) as { appVersion: string };
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect([chart.appVersion, version]).toEqual([VERSION, VERSION]);
});

test("the schema takes the values that come with the chart, and none that cannot work", () => {
  const fits = new Ajv({ allErrors: true }).compile(JSON.parse(text("values.schema.json")) as object);
  expect([fits(values()), fits.errors]).toEqual([true, null]);
  const wrong: Record<string, (v: Values) => void> = {
    "/agent/config/host": (v) => (v.agent.config["host"] = "one for all"),
    "/central/config/host": (v) => (v.central.config["host"] = "one for all"),
    "/central/config/state_dir": (v) => (v.central.config.state_dir = "/var/lib/tapline"),
    "/agent/config/health/listen": (v) => (v.agent.config.health.listen = "127.0.0.1:9464"),
    "/central/config": (v) => delete (v.central.config as Partial<Raw>).health,
    "/central": (v) => (v.central["password"] = "hunter2"),
    "/image": (v) => (v["image"]!["password"] = "hunter2"),
    "/central/replicas": (v) => (v.central["replicas"] = 0),
  };
  for (const [place, spoil] of Object.entries(wrong)) {
    const spoilt = values();
    spoil(spoilt);
    expect([place, fits(spoilt), (fits.errors ?? []).map((e) => e.instancePath)]).toEqual([
      place,
      false,
      expect.arrayContaining([place]),
    ]);
  }
});

test.each(ROLES)("the configuration of %s is that of deploy/, in other places", (role) => {
  const config = configOf(values()[role].config, `values.yaml ${role}.config`);
  const plain = readFileSync(`deploy/${role}.yml`, "utf8").replaceAll("/run/secrets/", SECRETS);
  const { state_dir } = config;
  const listen = config.health!.listen;
  expect(listen).toBe("0.0.0.0:9464");
  expect(config).toEqual({ ...parseConfig(plain, `${role}.yml`), state_dir, health: { listen } });
});

test.each(ROLES)("every path of %s's configuration is mounted, and its secrets are asked for", (role) => {
  const { config } = values()[role];
  const container = template[role]!.split("\n      containers:\n")[1]!;
  const mounts = [...container.matchAll(/\bmountPath: ([^,}\s]+)/g)].map(([, path]) => path!);
  const places = pathsIn(config);
  expect(places).toEqual(expect.arrayContaining([config.state_dir, `${SECRETS}ca`]));
  expect(places.filter((path) => !isBelow(path, mounts))).toEqual([]);
  const own = /name: TAPLINE_CONFIG, value: ([^}]+)\}/.exec(container)![1]!;
  expect([own, isBelow(own, mounts)]).toEqual([own, true]);
  // Who installs it learns the keys of the Secret from values.yaml, and from helm when none is named.
  const keys = [...new Set(secretsIn(config))].toSorted();
  const asked = new RegExp(`required "${role}\\.secret: the Secret with ([^"]+)"`).exec(template[role]!)![1]!;
  expect(asked.split(/, | and /).toSorted()).toEqual(keys);
  const said = text("values.yaml").match(/# Secret whose keys are .*/g)![ROLES.indexOf(role)]!;
  for (const key of keys) expect(said).toMatch(new RegExp(`\\b${key}\\b`));
});

test("user, state and start are those of the image", () => {
  const dockerfile = readFileSync("Dockerfile", "utf8");
  const [, user, group] = /^USER (\d+):(\d+)$/m.exec(dockerfile)!;
  const helpers = text("templates/_helpers.tpl");
  for (const line of [`runAsUser: ${user}`, `runAsGroup: ${group}`, `fsGroup: ${group}`])
    expect(helpers).toMatch(new RegExp(`^  ${line}$`, "m"));
  const state = /^VOLUME (\S+)$/m.exec(dockerfile)![1]!;
  for (const role of ROLES) {
    expect(template[role]).toContain(`{name: state, mountPath: ${state}}`);
    expect(isBelow(values()[role].config.state_dir, [state])).toBe(true);
  }
  expect(template["agent"]).toContain(`"chown ${user}:${group} ${state} && chmod 0700 ${state}"`);
  const start = (JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)![1]!) as string[]).join(" ");
  expect(text("templates/NOTES.txt")).toContain(`-- ${start} status`);
  expect(dockerfile).toMatch(/^FROM slim AS tapline$/m);
});

interface Container {
  name: string;
  command?: string[];
  securityContext: object;
  ports?: { name: string; containerPort: number }[];
  volumeMounts: { name: string; mountPath: string }[];
  readinessProbe?: { httpGet: { path: string; port: string } };
}
interface Pod {
  initContainers?: Container[];
  containers: [Container];
  volumes: { name: string; secret?: { defaultMode: number } }[];
}
interface Resource {
  kind: string;
  metadata: { name: string };
  data: Record<string, string>;
  spec: Record<string, unknown> & { template: { spec: Pod } };
}

const helm = process.env["HELM"] ?? "helm";
const haveHelm = spawnSync(helm, ["version"]).status === 0;
const NEEDED = ["image.repository", "agent.secret", "agent.transcripts", "central.secret"];

/** What has to be given, but for one. */
const given = (missing?: string): Record<string, string> =>
  Object.fromEntries(NEEDED.filter((key) => key !== missing).map((key) => [key, '"/given"']));

function helmTemplate(settings: Record<string, string>): { status: number | null; out: string; err: string } {
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set-json", `${key}=${value}`]);
  const args = ["template", "tapline", CHART, "--namespace", "watch", "--kube-version", "1.34.0", ...set];
  const { status, stdout, stderr } = spawnSync(helm, args, { encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

/** What helm renders with what has to be given, and more; by kind and name. */
function render(settings: Record<string, string> = {}): Map<string, Resource> {
  const { status, out, err } = helmTemplate({ ...given(), ...settings });
  expect([status, err]).toEqual([0, ""]);
  const found = new Map<string, Resource>();
  // YAML as Kubernetes reads it: 0440 is octal.
  for (const document of parseAllDocuments(out, { version: "1.1" })) {
    expect(document.errors).toEqual([]);
    const resource = document.toJS() as Resource | null;
    if (resource !== null) found.set(`${resource.kind} ${resource.metadata.name}`, resource);
  }
  return found;
}

if (!haveHelm) test.skip("what helm renders: there is no helm on PATH, and HELM names none", () => {});

describe.runIf(haveHelm)("what helm renders", () => {
  const workloads = ["DaemonSet tapline-agent", "StatefulSet tapline-central"] as const;

  test("nothing, as long as something that has to be given is missing", () => {
    for (const missing of NEEDED) {
      const { status, err } = helmTemplate(given(missing));
      expect([missing, status, err]).toEqual([missing, 1, expect.stringContaining(`${missing}: `)]);
    }
  });

  test("pods that are confined, with a volume for every mount and none besides", () => {
    const all = render({ "agent.prepare": "true" });
    for (const name of workloads) {
      const { initContainers = [], containers, volumes, ...pod } = all.get(name)!.spec.template.spec;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 60,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      });
      const confined = { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false };
      const capabilities = { drop: ["ALL"] };
      for (const { name: of, securityContext } of [...initContainers, ...containers]) {
        expect(securityContext, of).toMatchObject(confined);
        if (of !== "prepare") expect(securityContext, of).toEqual({ ...confined, capabilities });
      }
      for (const { secret } of volumes) if (secret !== undefined) expect(secret.defaultMode).toBe(0o440);
      const mounted = [...initContainers, ...containers].flatMap((c) => c.volumeMounts.map((m) => m.name));
      const claims = (all.get(name)!.spec["volumeClaimTemplates"] ?? []) as { metadata: { name: string } }[];
      const there = [...volumes.map((v) => v.name), ...claims.map((c) => c.metadata.name)];
      expect([...new Set(mounted)].toSorted()).toEqual(there.toSorted());
      const [{ ports, readinessProbe }] = containers;
      const { path, port } = readinessProbe!.httpGet;
      expect([path, ports!.find((p) => p.name === port)?.containerPort]).toEqual(["/readyz", 9464]);
    }
  });

  test("configurations that the collector takes: the agent's with the name of its node, and of its receiver", () => {
    const all = render();
    parseConfig(all.get("ConfigMap tapline-central")!.data["tapline.yml"]!, "central");
    const { command } = all.get(workloads[0])!.spec.template.spec.initContainers![0]!;
    const dir = mkdtempSync(join(tmpdir(), "tapline-helm-"));
    try {
      const [shell, ...args] = command!.map((part) =>
        part.replaceAll(/\/etc\/tapline\/(given|config)\//g, `${dir}/$1-`),
      );
      writeFileSync(`${dir}/given-tapline.yml`, all.get("ConfigMap tapline-agent")!.data["tapline.yml"]!);
      expect(spawnSync(shell!, args, { env: { ...process.env, NODE: "42" } }).status).toBe(0);
      const config = parseConfig(readFileSync(`${dir}/config-tapline.yml`, "utf8"), "agent");
      expect(config.host).toBe("42");
      const { hosts } = config.sources["otlp"] as unknown as { hosts: string[] };
      expect(hosts).toEqual(expect.arrayContaining(["tapline-agent", "tapline-agent.watch.svc"]));
      expect(all.get("Service tapline-agent")!.spec).toMatchObject({
        internalTrafficPolicy: "Local",
        ports: [{ port: 4318 }],
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test("one part alone, and a network that lets nobody in but who was named", () => {
    for (const [role, other] of [ROLES, ROLES.toReversed()] as const) {
      const all = render({ [`${role}.enabled`]: "false", "networkPolicy.enabled": "true" });
      const found = [...all.keys()].join();
      expect([found.includes(role), found.includes(`NetworkPolicy tapline-${other}`)]).toEqual([false, true]);
    }
    const bare = render({ "agent.config.sources.otlp": "null" });
    expect([...bare.keys()]).not.toContain("Service tapline-agent");
    expect(bare.get("ConfigMap tapline-agent")!.data["tapline.yml"]).not.toContain("otlp");
    const closed = render({ "networkPolicy.enabled": "true" });
    expect(closed.get("NetworkPolicy tapline-agent")!.spec).not.toHaveProperty("ingress");
    const open = render({ "networkPolicy.enabled": "true", "networkPolicy.metricsFrom": '["monitoring"]' });
    for (const role of ROLES)
      expect(open.get(`NetworkPolicy tapline-${role}`)!.spec["ingress"]).toMatchObject([
        { from: [{}], ports: [{ port: 9464 }] },
      ]);
  });
});
