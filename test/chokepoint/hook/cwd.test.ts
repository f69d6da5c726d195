// Where relative paths of a call start, as each client tells it: a rule on paths holds for them whatever directory the hook
// itself runs in, and refuses them where nobody says.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compiledPath } from "../../../src/policy/open.ts";
import { CLIENTS } from "./clients.ts";
import { type World, newWorld, remove, run, spooled } from "./world.ts";

let world: World;
let root: string;
beforeEach(() => {
  world = newWorld();
  root = join(world.home, "project");
  mkdirSync(root);
  writeFileSync(
    world.policy,
    `version: 1
mode: enforce
servers:
  desk:
    command: [npx, -y, "@desk/server"]
    tools:
      read_note: {arguments: {path: {not_under: [${root}/.git]}}}
agent_tools:
  run_command: {arguments: {command_line: {not_under: [${root}/.git]}}}
`,
  );
  rmSync(compiledPath(world.policy));
});
afterEach(() => remove(world));

async function decided(words: string[], payload: object): Promise<string> {
  await run(world, words, JSON.stringify(payload));
  const { verdict, rule } = spooled(world)[0]!.decision!;
  rmSync(join(world.state, "spool"), { recursive: true });
  return `${verdict} ${rule}`;
}

const REFUSED = "deny servers.desk.tools.read_note.arguments.path";
const ALLOWED = "allow servers.desk.tools.read_note";

test.each(CLIENTS.map(({ client }) => client))("%s", async (client) => {
  const sent = CLIENTS.find((one) => one.client === client)!;
  const path = (text: string): object => ({ path: text });
  const payload = (args: object, where: object): object => {
    const call: Record<string, unknown> = { ...sent.call("read_note"), ...where };
    const key = ["tool_input", "toolArgs"].find((name) => call[name] !== undefined);
    if (key !== undefined) return { ...call, [key]: client === "cursor" ? JSON.stringify(args) : args };
    return { ...call, tool_info: { ...(call["tool_info"] as object), mcp_tool_arguments: args } };
  };
  const at = (args: object, where: object): Promise<string> =>
    decided([client, sent.gate], payload(args, where));
  // Of Windsurf nothing tells the directory: the hook runs in the workspace's.
  if (client === "windsurf") {
    expect(await at(path("../project/.git/config"), {})).toBe(REFUSED);
    const command = { command_line: ".git/hooks/run", cwd: root };
    const words = [client, "pre_run_command"];
    const told = { agent_action_name: "pre_run_command", tool_info: command };
    expect(await decided(words, told)).toBe("deny agent_tools.run_command.arguments.command_line");
    return;
  }
  const here = client === "cursor" ? { workspace_roots: [root] } : { cwd: root };
  expect(await at(path(".git/config"), here)).toBe(REFUSED);
  expect(await at(path("notes/a"), here)).toBe(ALLOWED);
  if (client === "copilot") {
    const { cwd: _, ...call } = payload(path(".git/config"), { workingDirectory: root }) as { cwd: unknown };
    expect(await decided([client, sent.gate], call)).toBe(REFUSED);
  }
  if (client !== "cursor") return;
  // Of two roots nobody says which it is, and the hook's own directory is not it.
  for (const workspace_roots of [[root, "/elsewhere"], [], undefined]) {
    expect(await at(path("notes/a"), { workspace_roots })).toBe(REFUSED);
    expect(await at(path("/srv/notes/a"), { workspace_roots })).toBe(ALLOWED);
  }
});
