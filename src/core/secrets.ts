// Secrets and certificates that the configuration names: from files and the environment only, read when they are needed. What
// they hold is in no error.
import { readFile } from "node:fs/promises";
import { TaplineError, reasonOf } from "./errors.ts";

type Code = "SINK_SECRET" | "KAFKA_SECRET";

/** Text of a file, such as a certificate. Throws `code`. */
export async function readText(path: string, code: Code = "SINK_SECRET"): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TaplineError(code, `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "check the path and its permissions",
      cause,
    });
  }
}

/** Content of a file that holds one secret, without the line's end. Throws `code`. */
export async function readSecret(path: string, code: Code = "SINK_SECRET"): Promise<string> {
  const secret = (await readText(path, code)).replace(/\r?\n$/, "");
  if (secret !== "" && !secret.includes("\n")) return secret;
  throw new TaplineError(code, `${path} does not hold one line`, { remedy: "one secret a file" });
}

/** A secret of a file or of the environment; undefined when neither is named. Throws `code`. */
export async function secretOf(
  file: string | undefined,
  variable: string | undefined,
  code: Code = "SINK_SECRET",
): Promise<string | undefined> {
  if (file !== undefined) return readSecret(file, code);
  if (variable === undefined) return undefined;
  const value = process.env[variable];
  if (value !== undefined && value !== "") return value;
  throw new TaplineError(code, `the environment has no ${variable}`, { remedy: "set it" });
}
