// Verifiers of ledgers that are not ours: Tessera's fsck, and Go's x/mod/sumdb through verify/go. Both are built once, with
// the Go of this machine.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

/** Where programs that are not ours are. */
export const BIN = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tapline-test", "bin");
const FSCK = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4";
const WITNESS = "v0.0.0-20260720115447-2e1c6971d19e";
const env = { ...process.env, GOBIN: BIN, PATH: `${process.env["PATH"]}${delimiter}/usr/local/go/bin` };
const TIMEOUT_MS = 60_000;

/** Whether there is a Go to build them with; says aloud when there is none. */
export const haveGo = spawnSync("go", ["version"], { env }).status === 0;
if (!haveGo)
  console.warn("SKIPPED: Go is not installed, so the ledger is not checked by verifiers that are not ours");

export function buildVerifiers(): void {
  mkdirSync(BIN, { recursive: true });
  if (!existsSync(join(BIN, "fsck"))) execFileSync("go", ["install", FSCK], { env, stdio: "pipe" });
  execFileSync("go", ["build", "-o", join(BIN, "goverify"), "."], {
    env,
    cwd: resolve("verify/go"),
    stdio: "pipe",
  });
}

/** Tessera's own writer of ledgers in files. */
export function buildTessera(): void {
  const from = "github.com/transparency-dev/tessera/cmd/examples/posix-oneshot@v1.0.4";
  if (!existsSync(join(BIN, "posix-oneshot"))) execFileSync("go", ["install", from], { env, stdio: "pipe" });
}

/** The witness of transparency.dev, and what makes its keys. */
export function buildWitness(): void {
  mkdirSync(BIN, { recursive: true });
  for (const name of ["omniwitness", "generate_keys"]) {
    const from = `github.com/transparency-dev/witness/cmd/${name}@${WITNESS}`;
    if (!existsSync(join(BIN, name))) execFileSync("go", ["install", from], { env, stdio: "pipe" });
  }
}

/** An object store that enforces locks, as a program beside the tests. */
export function buildMinio(): void {
  mkdirSync(BIN, { recursive: true });
  const from = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";
  if (!existsSync(join(BIN, "minio"))) execFileSync("go", ["install", from], { env, stdio: "pipe" });
}

/** Verdict of fsck 1.0.4: its exit code is 0 either way, and with the default -N 1 it hangs on a mismatch. */
export function fsckAccepts(dir: string): boolean {
  const { stdout, stderr } = spawnSync(
    join(BIN, "fsck"),
    fsckArgs(`file://${dir}`, join(dir, "ledger.vkey")),
    {
      timeout: TIMEOUT_MS,
      encoding: "utf8",
    },
  );
  return /Successfully fsck'd log with size/.test(stdout + stderr);
}

const fsckArgs = (url: string, vkey: string): string[] => [
  "-ui=false",
  "-N",
  "64",
  `-storage_url=${url}`,
  `-public_key=${vkey}`,
];

/** Runs a program to its end while this process goes on, and serves it perhaps. Undefined when it took too long. */
async function ran(
  program: string,
  args: readonly string[],
  env_more: Record<string, string> = {},
): Promise<{ code: number | undefined; text: string }> {
  const child = spawn(join(BIN, program), args, { env: { ...env, ...env_more }, timeout: TIMEOUT_MS });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? undefined, text };
}

/** Verdict of fsck, with Tessera's client, on a ledger that is served. */
export async function fsckAcceptsUrl(url: string, vkey: string, token: string): Promise<boolean> {
  const { text } = await ran("fsck", [...fsckArgs(url, vkey), `-bearer_token=${token}`]);
  return /Successfully fsck'd log with size/.test(text);
}

/** Exit code and verdict of verify/go on a ledger that is served. */
export async function goverifyUrl(
  url: string,
  vkey: string,
  token: string,
  saved: readonly string[] = [],
): Promise<string> {
  const { code, text } = await ran("goverify", [url, vkey, ...saved], { LEDGER_TOKEN: token });
  return `${code} ${text.trim()}`;
}

/** Exit code and verdict of verify/go; every checkpoint in `saved` must be a prefix. */
export function goverify(dir: string, saved: readonly string[] = []): string {
  const { status, stdout } = spawnSync(join(BIN, "goverify"), [dir, join(dir, "ledger.vkey"), ...saved], {
    encoding: "utf8",
  });
  return `${status} ${stdout.trim()}`;
}

/** Exit code and verdict of verify/go on one proof. */
export function goverifyProof(path: string, vkey: string): string {
  const { status, stdout } = spawnSync(join(BIN, "goverify"), ["-proof", path, vkey], { encoding: "utf8" });
  return `${status} ${stdout.trim()}`;
}
