// What a decision costs: in a policy of 200 servers with 20 tools each, for a plain tool, one with lists of paths and
// hosts, and one with a rate, in µs at p50 and p99; and what opening a policy costs, in ms of CPU time.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallRequest, ServerIdentity } from "../../src/policy/contract.ts";
import { compiledPath, openPolicy } from "../../src/policy/open.ts";

const rounds = Number(process.argv[2] ?? 20_000);
const dir = mkdtempSync(join(tmpdir(), "tapline-bench-policy-"));
const path = join(dir, "policy.yml");

/** A policy of so many servers. */
function write(count: number): void {
  const servers = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `server${i}`,
      {
        package: `@scope/server-${i}`,
        version: ">=1.0 <2",
        tools: {
          ...Object.fromEntries(
            Array.from({ length: 18 }, (__, j) => [`tool_${j}`, j % 3 === 0 ? "deny" : "allow"]),
          ),
          read: { arguments: { path: { under: ["~/work", "/srv"] }, url: { hosts: ["*.example.com"] } } },
          often: { rate: { calls: 1_000, per_s: 86_400 } },
        },
      },
    ]),
  );
  writeFileSync(path, JSON.stringify({ version: 1, mode: "enforce", servers }));
}

const server: ServerIdentity = {
  name: "x",
  transport: "stdio",
  command: ["npx", "-y", "@scope/server-150@1.4.2"],
};
const call = (tool: string): CallRequest => ({
  server,
  method: "tools/call",
  tool,
  arguments: { path: "/srv/data/../data/a.txt", url: "https://api.example.com/x" },
  size_bytes: 200,
  user: "ada",
  agent: "claude-code",
  session: undefined,
  definition_hash: "sha256:1",
  now_ms: Date.now(),
});

async function times(of: () => unknown, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await of();
    all.push((performance.now() - start) * 1000);
  }
  return all.sort((a, b) => a - b);
}

const show = (name: string, all: readonly number[]): void =>
  console.log(
    `policy: ${name}: p50 ${all[all.length >> 1]!.toFixed(1)} µs, p99 ${all[Math.floor(all.length * 0.99)]!.toFixed(1)} µs`,
  );

write(200);
const policy = await openPolicy(path, { state_dir: dir });
policy.list(server, [{ name: "tool_1", hash: "sha256:1" }], { user: "ada", agent: undefined });
for (const [name, tool, count] of [
  ["a tool", "tool_1", rounds],
  ["a tool with lists", "read", rounds],
  ["a tool with a rate", "often", Math.min(rounds, 1_000)],
] as const) {
  const asked = call(tool);
  show(name, await times(() => policy.decide(asked), count));
}
/** CPU time of opening, ms. */
async function opening(count: number, before: () => void): Promise<number> {
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    before();
    await openPolicy(path, { state_dir: dir });
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / count;
}
for (const count of [200, 10]) {
  write(count);
  await openPolicy(path, { state_dir: dir });
  const compiled = await opening(50, () => {});
  const anew = await opening(5, () => rmSync(compiledPath(path)));
  console.log(
    `policy: opening ${count} servers: ${compiled.toFixed(2)} ms CPU compiled, ${anew.toFixed(1)} ms CPU to compile`,
  );
}
rmSync(dir, { recursive: true });
