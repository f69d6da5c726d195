// What commands share: options, their errors, and where the configuration comes from.
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Config } from "../config.ts";
import { TaplineError } from "../core/errors.ts";

/** A mistake on the command line. */
export class UsageError extends Error {}

export interface Command {
  /** Usage and options. */
  readonly help: string;
  /** Returns the exit code. Throws UsageError or TaplineError. */
  run(argv: readonly string[]): Promise<number>;
}

/** What a subcommand does with the arguments behind its name; returns the exit code. */
export type Run = (argv: readonly string[]) => Promise<number>;

/** A command that is many: the first argument says which. Each is loaded when it is asked for, since others need none of it. */
export function commandOf(subcommands: Readonly<Record<string, () => Promise<Run>>>, help: string): Command {
  return {
    help,
    async run([name, ...rest]) {
      const names = Object.keys(subcommands).join(", ");
      if (name === undefined) throw new UsageError(`say what: ${names}`);
      if (!Object.hasOwn(subcommands, name))
        throw new UsageError(`no subcommand "${name}": there are ${names}`);
      const subcommand = await subcommands[name]!();
      return subcommand(rest);
    },
  };
}

/** Ids of events begin with a stream's id, which may begin with a dash as an option does. */
const DASHED_ID = /^-[\w-]{21}-[0-9a-z]+-\d+/;
/** Put before such an id while options are told from the rest: nothing on a command line can hold it. */
const NO_OPTION = "\u0000";
const withoutMark = (text: string): string => (text.startsWith(NO_OPTION) ? text.slice(1) : text);

/** parseArgs with unknown options as UsageError. An event's id is never taken for an option. */
export function readArgs<T extends ParseArgsConfig>(argv: readonly string[], config: T) {
  const args = argv.map((arg) => (DASHED_ID.test(arg) ? NO_OPTION + arg : arg));
  try {
    const parsed = parseArgs({ ...config, args, strict: true });
    return { ...parsed, positionals: parsed.positionals.map(withoutMark) };
  } catch (error) {
    throw new UsageError((error as Error).message.replaceAll(NO_OPTION, ""));
  }
}

/** A whole number option, or undefined when not given. */
export function readNumber(value: string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new UsageError(`${option} takes a whole number, not "${value}"`);
  return Number(value);
}

/** A path of the command line as patterns of the file source: a file, the transcripts below a directory, or a pattern
 * as it stands. Throws NO_SUCH_PATH. */
export function globsOf(path: string): string[] {
  const full = resolve(path);
  if (!existsSync(full)) {
    if (/[*?[{]/.test(path)) return [path];
    throw new TaplineError("NO_SUCH_PATH", `${path} does not exist`, {
      remedy: "name a file or a directory",
    });
  }
  const literal = full.replaceAll(/[*?[]/g, "[$&]").replaceAll(/[{}]/g, "?");
  return statSync(full).isDirectory() ? [join(literal, "**/*.jsonl")] : [literal];
}

/** Directory of the configuration's ledger. Throws NO_SUCH_PATH when nothing was recorded yet. */
export function ledgerDir({ state_dir }: Config): string {
  const dir = join(state_dir, "ledger");
  if (existsSync(dir)) return dir;
  throw new TaplineError("NO_SUCH_PATH", `${dir} does not exist`, {
    remedy: "name the configuration of a collector that has run: -c FILE",
  });
}

/** The configuration of `-c FILE`, of TAPLINE_CONFIG, or the defaults. */
export async function readConfig(path: string | undefined): Promise<Config> {
  const { loadConfig, parseConfig } = await import("../config.ts");
  const file = path ?? process.env["TAPLINE_CONFIG"];
  return file === undefined ? parseConfig("", "defaults") : loadConfig(file);
}
