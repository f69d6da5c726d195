// `tapline hook CLIENT` and `tapline hook install|uninstall CLIENT`. Clients run the bundle, which starts in a fraction of
// the time that this program takes; `tapline hook CLIENT` runs the same bundle, to try it by hand.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CLIENTS } from "../chokepoint/hook/clients.ts";
import { type HookCommand, change, fragment } from "../chokepoint/hook/install.ts";
import { SETTINGS } from "../chokepoint/hook/settings.ts";
import type { Config } from "../config.ts";
import { HOOK_BUNDLE } from "../paths.ts";
import { policyPlace } from "../policy/open.ts";
import { type Command, UsageError, readArgs, readConfig } from "./usage.ts";

const NAMES = [...CLIENTS.keys()].join("|");

function clientOf(name: string | undefined): string {
  if (name === undefined || !CLIENTS.has(name)) throw new UsageError(`name the client: ${NAMES}`);
  return name;
}

function policyOf(config: Config, named: string | undefined): string {
  return resolve(policyPlace(named ?? config.policy, config.state_dir).path);
}

function commandOf(config: Config, policy: string, fail = "closed"): HookCommand {
  if (fail !== "closed" && fail !== "open")
    throw new UsageError(`--fail takes closed or open, not "${fail}"`);
  const options = ["--state", resolve(config.state_dir), "--policy", policy, "--fail", fail];
  return { node: process.execPath, script: HOOK_BUNDLE, closed: fail === "closed", options };
}

const OPTIONS = {
  config: { type: "string", short: "c" },
  policy: { type: "string" },
  file: { type: "string" },
  fail: { type: "string" },
  print: { type: "boolean" },
} as const;

async function install(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArgs(argv, { options: OPTIONS, allowPositionals: true });
  const client = clientOf(positionals[0]);
  const config = await readConfig(values.config);
  const policy = policyOf(config, values.policy);
  const present = existsSync(policy);
  // Without a policy there is nothing to refuse a call by.
  const fail = values.fail ?? (present ? "closed" : "open");
  const command = commandOf(config, policy, fail);
  if (values.print === true) {
    const shown = fragment(client, command);
    console.log(`# ${values.file ?? shown.file}\n${JSON.stringify(shown.content, undefined, 2)}`);
    return 0;
  }
  const done = change(client, values.file, command);
  console.log(done.changed ? `wrote       ${done.file}` : `unchanged   ${done.file}`);
  if (done.backup !== undefined) console.log(`before      ${done.backup}`);
  const { note } = SETTINGS.get(client)!;
  if (note !== undefined) console.log(`note        ${note}`);
  if (!present) {
    const what = fail === "open" ? "calls are recorded and pass" : "every call is refused";
    console.log(`WARNING     there is no policy at ${policy}: until there is, ${what}`);
    if (fail === "open")
      console.log(`            then install again, so that calls are refused when it cannot be read`);
  }
  const where = values.file === undefined ? "" : ` --file ${values.file}`;
  console.log(`to undo     tapline hook uninstall ${client}${where}`);
  return 0;
}

function uninstall(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArgs(argv, {
    options: { file: { type: "string" } },
    allowPositionals: true,
  });
  const done = change(clientOf(positionals[0]), values.file, undefined);
  console.log(done.changed ? `wrote       ${done.file}` : `unchanged   ${done.file}`);
  if (done.backup !== undefined) console.log(`before      ${done.backup}`);
  return Promise.resolve(0);
}

async function run(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArgs(argv, {
    options: { config: OPTIONS.config, policy: OPTIONS.policy, fail: OPTIONS.fail },
    allowPositionals: true,
  });
  const client = clientOf(positionals[0]);
  const config = await readConfig(values.config);
  const { node, script, options } = commandOf(config, policyOf(config, values.policy), values.fail);
  const child = spawnSync(node, [script, client, ...positionals.slice(1), ...options], { stdio: "inherit" });
  return child.status ?? 3;
}

export const hook: Command = {
  help: `usage: tapline hook ${NAMES} [EVENT] [--policy FILE] [--fail closed|open] [-c FILE]
       tapline hook install CLIENT [--print] [--file FILE] [--policy FILE] [--fail closed|open] [-c FILE]
       tapline hook uninstall CLIENT [--file FILE]

  CLIENT reads the hook's JSON from standard input, decides by the policy, records call and decision in the spool of the
  state directory, and answers as that client understands it. The exit code is the one the client reads.

  install      puts the hook into the client's configuration, on all tools; what else is in the file stays, and the file
               as it was is kept beside it. Again is no change
    --print      shows what would be put there, and writes nothing
    --file FILE  another file than the user's own, such as a project's or an administrator's
  uninstall    takes the hook out of it again

  --policy FILE        policy that decides (default: that of the configuration)
  --fail closed|open   what to do with a call while the policy cannot be read: refuse it, or let it pass (default closed
                       where there is a policy when the hook is installed, else open)`,
  run([name = "", ...rest]) {
    if (name === "install") return install(rest);
    if (name === "uninstall") return uninstall(rest);
    return run([name, ...rest]);
  },
};
