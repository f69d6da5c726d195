// Runs a program of this machine for an anchor or a signer, bounded in time; what it says of a failure goes into the error.
import { type ExecFileException, execFile } from "node:child_process";
import { TaplineError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";

/** Standard output. Throws ANCHOR_FAILED, with `doing` and what the program said. */
export function runTool(
  program: string,
  args: readonly string[],
  doing: string,
  signal: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, ...more, GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  return new Promise((resolve, reject) => {
    const done = (cause: ExecFileException | null, stdout: string, stderr: string): void => {
      if (cause === null) return resolve(stdout);
      const said = stderr.trim().slice(-LIMITS.dead_letter_reason_chars);
      reject(
        new TaplineError("ANCHOR_FAILED", `${doing}: ${said === "" ? cause.message : said}`, {
          retry: true,
          remedy: `check the options, and that ${program} is installed`,
          cause,
        }),
      );
    };
    execFile(program, [...args], { signal, timeout: LIMITS.anchor_ms, env, encoding: "utf8" }, done);
  });
}
