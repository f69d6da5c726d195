// What the proxy adds to a call: calls one after the other over standard input and output and over HTTP, directly and
// through it, in turns, so that both meet the same machine. `--serve` is the server: it answers at once. Also how long it
// takes to start. Usage: mcp_proxy.ts [--calls N]
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import * as http from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "1000" }, serve: { type: "string" } },
});
const SELF = resolve(import.meta.filename);
const MAIN = resolve(import.meta.dirname, "../../bin/tapline.js");
const ROUND = 500;

const answer = (id: number): string =>
  `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${"x".repeat(200)}"}]}}`;
const call = (id: number): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: "t", arguments: { path: "/a/b", n: id } },
  });
const idOf = (text: string): number => Number(/"id":(\d+)/.exec(text)![1]);

if (values.serve === "stdio") {
  createInterface({ input: process.stdin }).on("line", (line) =>
    process.stdout.write(`${answer(idOf(line))}\n`),
  );
} else if (values.serve === "http") {
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.setHeader("content-type", "application/json").end(answer(idOf(body))));
  });
  server.listen(0, "127.0.0.1", () => console.log(`:${(server.address() as AddressInfo).port}/`));
} else await bench();

type Call = (id: number) => Promise<void>;

function overStdio(child: ChildProcess): Call {
  let came: (() => void) | undefined;
  let rest = "";
  child.stdout!.on("data", (chunk: Buffer) => {
    rest += chunk.toString();
    if (!rest.endsWith("\n")) return;
    rest = "";
    came?.();
  });
  return (id) => {
    const { promise, resolve: done } = Promise.withResolvers<void>();
    came = done;
    child.stdin!.write(`${call(id)}\n`);
    return promise;
  };
}

function overHttp(port: number): Call {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return async (id) => {
    const request = http.request({ agent, port, host: "127.0.0.1", path: "/", method: "POST", headers });
    request.end(call(id));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    await once(response, "end");
  };
}

async function portOf(stream: NodeJS.ReadableStream): Promise<number> {
  let text = "";
  for (;;) {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    text += chunk.toString();
    const port = /:(\d+)\/\n/.exec(text);
    if (port !== null) return Number(port[1]);
  }
}

/** CPU time of a process so far, ms. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

interface Path {
  readonly call: Call;
  /** What stands between. */
  readonly proxy?: ChildProcess;
}

async function measure(name: string, paths: Record<string, Path>, calls: number): Promise<void> {
  const times: Record<string, number[]> = {};
  let id = 0;
  for (const { call: make } of Object.values(paths)) for (let i = 0; i < ROUND; i++) await make(id++);
  const before = Object.values(paths).map(({ proxy }) => (proxy === undefined ? 0 : cpuOf(proxy)));
  for (let done = 0; done < calls; done += ROUND) {
    for (const [path, { call: make }] of Object.entries(paths)) {
      const taken = (times[path] ??= []);
      for (let i = 0; i < Math.min(ROUND, calls - done); i++) {
        const started = performance.now();
        await make(id++);
        taken.push(performance.now() - started);
      }
    }
  }
  const at = (path: string, part: number): number =>
    times[path]!.toSorted((a, b) => a - b)[Math.floor(times[path]!.length * part)]!;
  for (const [i, [path, { proxy }]] of Object.entries(paths).entries()) {
    const [p50, p99] = [at(path, 0.5), at(path, 0.99)];
    let line = `  ${name} ${path}: ${calls} calls, ms p50 ${p50.toFixed(3)} p99 ${p99.toFixed(3)}`;
    if (proxy !== undefined) {
      const added = [p50 - at("direct", 0.5), p99 - at("direct", 0.99)].map((ms) => ms.toFixed(3));
      const cpu_us = ((cpuOf(proxy) - before[i]!) * 1_000) / calls;
      line += `, added p50 ${added[0]} p99 ${added[1]}, CPU µs a call ${cpu_us.toFixed(0)}`;
    }
    console.log(line);
  }
}

function startTimes(env: NodeJS.ProcessEnv, spool: string): void {
  const median = (args: string[]): number =>
    Array.from({ length: 9 }, () => {
      const started = performance.now();
      spawnSync(process.execPath, args, { env, stdio: "ignore" });
      return performance.now() - started;
    }).toSorted((a, b) => a - b)[4]!;
  const bare = median(["-e", "0"]);
  const proxy = median([MAIN, "mcp", "--spool", spool, "--", "true"]);
  console.log(`  start to end, ms: node -e 0 ${bare.toFixed(0)}, tapline mcp -- true ${proxy.toFixed(0)}`);
}

async function bench(): Promise<void> {
  const calls = Number(values.calls);
  const dir = mkdtempSync(join(tmpdir(), "tapline-bench-proxy-"));
  const spool = join(dir, "spool");
  const env = { ...process.env, HOME: dir, XDG_STATE_HOME: dir, XDG_CONFIG_HOME: dir };
  const children: ChildProcess[] = [];
  const run = (...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    children.push(child);
    return child;
  };
  const proxy = (...args: string[]): ChildProcess => run(MAIN, "mcp", "--spool", spool, ...args);
  try {
    const server = [process.execPath, SELF, "--serve", "stdio"];
    const through = (child: ChildProcess): Path => ({ call: overStdio(child), proxy: child });
    const stdio = {
      direct: { call: overStdio(run(SELF, "--serve", "stdio")) },
      proxied: through(proxy("--", ...server)),
      "proxied, durable on disk": through(proxy("--durability", "disk", "--", ...server)),
    };
    await measure("stdio", stdio, calls);
    const port = await portOf(run(SELF, "--serve", "http").stdout!);
    const listen = ["--listen", "127.0.0.1:0", "--upstream", `http://127.0.0.1:${port}/`];
    const listening = async (...args: string[]): Promise<Path> => {
      const child = proxy(...args, ...listen);
      return { call: overHttp(await portOf(child.stderr!)), proxy: child };
    };
    const over = {
      direct: { call: overHttp(port) },
      proxied: await listening(),
      "proxied, durable on disk": await listening("--durability", "disk"),
    };
    await measure("http", over, calls);
    startTimes(env, spool);
  } finally {
    for (const child of children) child.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}
