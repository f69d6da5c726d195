// Verifiers of ledgers that are not ours: Tessera's fsck, and Go's x/mod/sumdb through verify/go. Both are built once, with
// the Go of this machine.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

const BIN = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tapline-test", "bin");
const FSCK = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4";
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

/** Verdict of fsck 1.0.4: its exit code is 0 either way, and with the default -N 1 it hangs on a mismatch. */
export function fsckAccepts(dir: string): boolean {
  const args = [
    "-ui=false",
    "-N",
    "64",
    `-storage_url=file://${dir}`,
    `-public_key=${join(dir, "ledger.vkey")}`,
  ];
  const { stdout, stderr } = spawnSync(join(BIN, "fsck"), args, { timeout: TIMEOUT_MS, encoding: "utf8" });
  return /Successfully fsck'd log with size/.test(stdout + stderr);
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
