// The real servers for the tests: a running one is reused, else one is started, as a container where the image is at
// hand, else as a process from scripts/servers, and stopped at the end of the run by its id. Ports:
// TAPLINE_TEST_PORT_<NAME>. Listens on 127.0.0.1 only.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:net";
import { promisify } from "node:util";
import { imageOf, startContainer, stopContainer } from "./containers.ts";

const run = promisify(execFile);
const SERVERS = {
  opensearch: { port: 9200, product: "opensearch" },
  elasticsearch8: { port: 9201, product: "elasticsearch" },
  elasticsearch9: { port: 9202, product: "elasticsearch" },
  kafka: { port: 9092, product: "kafka" },
} as const;
/** With users and roles: the script of the plain one, other settings, and who may do everything there. */
const SECURED = {
  opensearch: { port: 9210, scheme: "https", user: "admin", password: "admin" },
  elasticsearch8: { port: 9211, scheme: "http", user: "elastic", password: "elastic-test" },
} as const;
export type ServerName = keyof typeof SERVERS;

/** Directory that names what this run of the tests started; set by test/integration/global.ts. */
export const STARTED = "TAPLINE_TEST_STARTED";

const script = (name: string): string => join(import.meta.dirname, "../../scripts/servers", `${name}.sh`);
/** Where a server is that cannot be started is no reason to skip its tests: with TAPLINE_FULL of any, and of those that
 * TAPLINE_TEST_REQUIRED names, with commas. */
export const isRequired = (name: string): boolean =>
  process.env["TAPLINE_FULL"] !== undefined ||
  (process.env["TAPLINE_TEST_REQUIRED"] ?? "").split(",").includes(name);
export const portOf = (name: ServerName): number =>
  Number(process.env[`TAPLINE_TEST_PORT_${name.toUpperCase()}`] ?? SERVERS[name].port);

/** Whether something listens: Kafka answers no HTTP. */
function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: "127.0.0.1", timeout: 3_000 }, () => resolve(true));
  socket.on("error", () => resolve(false)).on("timeout", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function answers(name: ServerName): Promise<boolean> {
  if (SERVERS[name].product === "kafka") return listens(portOf(name));
  try {
    const answer = await fetch(`http://127.0.0.1:${portOf(name)}/_cluster/health`, {
      signal: AbortSignal.timeout(3_000),
    });
    const elastic = answer.headers.get("x-elastic-product") !== null;
    return answer.ok && elastic === (SERVERS[name].product === "elasticsearch");
  } catch {
    return false;
  }
}

/** Starts a server. Returns the id of its container, "" for a process, undefined when another file of tests owns it. */
async function launch(name: ServerName, port: number): Promise<string | undefined> {
  const image = name === "kafka" ? undefined : await imageOf(name);
  if (image !== undefined) {
    console.log(`${name}: a container of ${image}`);
    const id = await startContainer(name, image, port, () => answers(name));
    return id === "" ? undefined : id;
  }
  await run(script(name), ["start"], { env: { ...process.env, PORT: String(port) }, timeout: 280_000 });
  return "";
}

/** The URL (of Kafka, host and port) of a running server, started when there is none. Undefined, with the reason printed, when this machine
 * cannot start it; an error instead when it is required. */
export async function startServer(name: ServerName): Promise<string | undefined> {
  const port = portOf(name);
  const url = `${SERVERS[name].product === "kafka" ? "" : "http://"}127.0.0.1:${port}`;
  if (await answers(name)) return url;
  let container: string | undefined;
  try {
    container = await launch(name, port);
  } catch (error) {
    if (isRequired(name)) throw error;
    const { stderr = String(error) } = error as { stderr?: string };
    console.warn(
      `skipping the tests against ${name}: it cannot be started here: ${stderr.trim().slice(-500)}`,
    );
    return undefined;
  }
  const started = process.env[STARTED];
  if (container !== undefined && started !== undefined && existsSync(started))
    await writeFile(join(started, `${name}-${port}`), container);
  return url;
}

/** Starts a server of a test's own, at a port of its own, which the test may stop, continue, kill and start again; `more`
 * is environment of its script. Returns the id of its process. Throws where it cannot be started. */
export async function startOwn(
  name: ServerName,
  port: number,
  more: Readonly<Record<string, string>>,
): Promise<number> {
  const env = { ...process.env, PORT: String(port), ...more };
  await run(script(name), ["start"], { env, timeout: 280_000 });
  const started = process.env[STARTED];
  if (started !== undefined && existsSync(started)) await writeFile(join(started, `${name}-${port}`), "");
  const { stdout } = await run(script(name), ["status"], { env });
  return Number(stdout.trim().split(" ")[1]);
}

/** Ends what `startOwn` has started, and removes its data. */
export async function endOwn(name: ServerName, port: number): Promise<void> {
  await run(script(name), ["clean"], { env: { ...process.env, PORT: String(port) }, timeout: 60_000 });
}

export interface Secured {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** PEM file of the authority of its certificate. */
  readonly ca_file: string | undefined;
}

/** A server that has users and roles, as a process; `more` is environment of its script. Undefined, with the reason
 * printed, when this machine cannot start it; an error instead when TAPLINE_FULL is set. */
export async function startSecured(
  name: keyof typeof SECURED,
  more: Readonly<Record<string, string>> = {},
): Promise<Secured | undefined> {
  const { scheme, user, password } = SECURED[name];
  const port = Number(process.env[`TAPLINE_TEST_PORT_${name.toUpperCase()}_SECURED`] ?? SECURED[name].port);
  const env = {
    ...process.env,
    PORT: String(port),
    SECURITY: "true",
    PASSWORD: password,
    HEAP: "512m",
    START_SECONDS: "1500",
    ...more,
  };
  try {
    const { stdout } = await run(script(name), ["status"], { env });
    await run(script(name), ["start"], { env, timeout: 1_600_000 });
    const started = process.env[STARTED];
    if (stdout.startsWith("stopped") && started !== undefined && existsSync(started))
      await writeFile(join(started, `${name}-${port}`), "");
    const { stdout: where } = await run(script(name), ["config"], { env });
    return {
      url: `${scheme}://127.0.0.1:${port}`,
      username: user,
      password,
      ca_file: scheme === "https" ? join(where.trim(), "ca.pem") : undefined,
    };
  } catch (error) {
    if (process.env["TAPLINE_FULL"] !== undefined) throw error;
    const { stderr = String(error) } = error as { stderr?: string };
    console.warn(
      `skipping the tests against ${name} with users: it cannot be started here: ${stderr.trim().slice(-500)}`,
    );
    return undefined;
  }
}

/** Stops what the files in `directory` name. */
export async function stopServers(directory: string): Promise<void> {
  for (const file of await readdir(directory)) {
    const container = await readFile(join(directory, file), "utf8");
    if (container !== "") {
      await stopContainer(container);
      continue;
    }
    const at = file.lastIndexOf("-");
    const env = { ...process.env, PORT: file.slice(at + 1) };
    await run(script(file.slice(0, at)), ["stop"], { env, timeout: 60_000 });
  }
}
