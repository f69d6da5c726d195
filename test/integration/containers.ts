// The test servers as containers: where a Docker engine answers and has the image already. Nothing is ever pulled.
// Speaks to the engine through its command line. Containers listen on 127.0.0.1 only and go with the run of the tests.
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const ASK_MS = 5_000;
const START_MS = 240_000;

interface Image {
  /** Name and tag; TAPLINE_TEST_IMAGE_<SERVER> names another. */
  readonly reference: string;
  readonly settings: Readonly<Record<string, string>>;
}

const COMMON = {
  "discovery.type": "single-node",
  "cluster.routing.allocation.disk.threshold_enabled": "false",
};
const ELASTIC = { ...COMMON, "xpack.security.enabled": "false", ES_JAVA_OPTS: "-Xms1g -Xmx1g" };
const IMAGES: Readonly<Record<string, Image>> = {
  opensearch: {
    reference: "opensearchproject/opensearch:3.6.0",
    settings: {
      ...COMMON,
      DISABLE_SECURITY_PLUGIN: "true",
      DISABLE_INSTALL_DEMO_CONFIG: "true",
      OPENSEARCH_JAVA_OPTS: "-Xms1g -Xmx1g",
    },
  },
  elasticsearch8: { reference: "docker.elastic.co/elasticsearch/elasticsearch:8.19.21", settings: ELASTIC },
  elasticsearch9: { reference: "docker.elastic.co/elasticsearch/elasticsearch:9.5.3", settings: ELASTIC },
};

async function docker(args: readonly string[], timeout = ASK_MS): Promise<string> {
  return (await run("docker", [...args], { timeout })).stdout.trim();
}

/** The image of a server that can be started here without a download; undefined when there is none. */
export async function imageOf(name: string): Promise<string | undefined> {
  const reference = process.env[`TAPLINE_TEST_IMAGE_${name.toUpperCase()}`] ?? IMAGES[name]!.reference;
  try {
    await docker(["image", "inspect", "--format", "{{.Id}}", reference]);
    return reference;
  } catch {
    return undefined; // no engine, or not this image
  }
}

/** Network options: a published port, or the host's network for engines without a bridge. */
function network(port: number): { args: string[]; settings: Record<string, string> } {
  if (process.env["TAPLINE_TEST_DOCKER_NETWORK"] !== "host") {
    return { args: ["--publish", `127.0.0.1:${port}:9200`], settings: { "network.host": "0.0.0.0" } };
  }
  const settings = {
    "network.host": "127.0.0.1",
    "http.port": String(port),
    "transport.port": String(port + 100),
  };
  return { args: ["--network", "host"], settings };
}

/** Starts a container of the image, whose server answers on the port soon. Returns its id, or "" when another file of
 * tests starts it just now: the container's name lets one of them do it. */
export async function startContainer(
  name: string,
  image: string,
  port: number,
  answers: () => Promise<boolean>,
): Promise<string> {
  const { args, settings } = network(port);
  const environment = Object.entries({ ...IMAGES[name]!.settings, ...settings });
  const named = `tapline-test-${name}-${port}`;
  const made = await docker(
    ["run", "--detach", "--rm", "--pull", "never", "--name", named, ...args].concat(
      environment.flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      image,
    ),
    60_000,
  ).catch((error: unknown) => {
    if (!/name .* is already in use/.test((error as { stderr?: string }).stderr ?? "")) throw error;
    return "";
  });
  try {
    await running(made === "" ? named : made, answers);
  } catch (cause) {
    const log = await run("docker", ["logs", "--tail", "20", named]).catch(() => undefined);
    if (made !== "") await stopContainer(made).catch(() => {});
    const said = `${log?.stdout ?? ""}${log?.stderr ?? ""}`;
    throw new Error(`${image}: ${(cause as Error).message}\n${said}`, { cause });
  }
  return made;
}

async function running(container: string, answers: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + START_MS; !(await answers()); await sleep(300)) {
    if ((await docker(["inspect", "--format", "{{.State.Running}}", container])) !== "true")
      throw new Error("ended while starting");
    if (Date.now() > end) throw new Error(`did not answer in ${START_MS / 1000} s`);
  }
}

/** Stops a container by its id; it is removed with its data. */
export async function stopContainer(id: string): Promise<void> {
  await docker(["rm", "--force", "--volumes", id], 60_000);
}
