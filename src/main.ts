// The command line: finds the command, runs it, turns trouble into a message and an exit code.
// 0 fine, 1 findings or failed check, 2 usage, 3 the world (network, disk, permissions).
import { COMMANDS } from "./commands/index.ts";
import { type Command, UsageError } from "./commands/usage.ts";
import { TaplineError, reasonOf, systemCode } from "./core/errors.ts";
import { VERSION } from "./version.ts";

const help =
  (): string => `tapline ${VERSION}: records what AI agents and MCP servers did, in a ledger that others can verify

usage: tapline COMMAND [options]

${Object.entries(COMMANDS)
  .map(([name, command]) => `  ${name.padEnd(13)} ${command.about}`)
  .join("\n")}

tapline COMMAND --help shows a command's options. Exit codes: 0 fine, 1 findings, 2 usage, 3 the world.
`;

async function loadCommand(name: string): Promise<Command | undefined> {
  // A reader that goes away (`| head`) is no error; of a proxy it is the client, and its own business.
  if (name !== "mcp")
    process.stdout.on("error", (error: NodeJS.ErrnoException) =>
      process.exit(error.code === "EPIPE" ? 0 : 3),
    );
  return Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]!.load() : undefined;
}

/** What the system refused where nobody expected it to, a disk that is full, say, is the world's trouble all the same. Throws
 * what is ours. */
function refusedBySystem(name: string, error: unknown): number {
  if (systemCode(error) === undefined || !("syscall" in (error as object))) throw error;
  console.error(`tapline ${name}: ${reasonOf(error)}`);
  console.error("  remedy: see to the disk, permissions and limits of what is named, then start again");
  return 3;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name = "help", ...rest] = argv;
  if (name === "--version" || name === "version") {
    console.log(VERSION);
    return 0;
  }
  const command = await loadCommand(name);
  if (command === undefined) {
    const asked = ["help", "--help", "-h"].includes(name);
    if (asked) console.log(help());
    else {
      console.error(`tapline: no command "${name}": there are ${Object.keys(COMMANDS).join(", ")}`);
      console.error("  tapline --help says what each does");
    }
    return asked ? 0 : 2;
  }
  // What comes after -- is another program's.
  const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (own.includes("--help") || own.includes("-h")) {
    console.log(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`tapline ${name}: ${error.message}`);
      console.error(`  tapline ${name} --help shows the options`);
      return 2;
    }
    if (!(error instanceof TaplineError)) return refusedBySystem(name, error);
    console.error(`tapline ${name}: ${error.message}`);
    if (error.remedy !== undefined) console.error(`  remedy: ${error.remedy}`);
    return ["CONFIG_INVALID", "POLICY_INVALID", "FILE_INVALID"].includes(error.code) ? 2 : 3;
  }
}

process.exitCode = await main(process.argv.slice(2));
