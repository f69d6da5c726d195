// Writes numbered MCP calls into files that rotate by rename, until told to stop; prints how many lines it completed.
// Lines are written in pieces now and then, so that a reader sees partial lines.
import { closeSync, openSync, readdirSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

const [dir, seedText] = process.argv.slice(2) as [string, string];
let seed = Number(seedText);
function random(): number {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
}
const FILES = 3;
const files = Array.from({ length: FILES }, (_, i) => openSync(join(dir, `agent-${i}.jsonl`), "a"));
let written = 0;
let stopping = false;
process.on("SIGTERM", () => (stopping = true));

function rotate(at: number): void {
  closeSync(files[at]!);
  const path = join(dir, `agent-${at}.jsonl`);
  const old = readdirSync(dir).filter((name) => name.startsWith(`agent-${at}.jsonl.`)).length;
  renameSync(path, `${path}.${old + 1}`);
  files[at] = openSync(path, "a");
}

function line(n: number): string {
  const msg = {
    jsonrpc: "2.0",
    id: n,
    method: "tools/call",
    params: {
      name: "write",
      arguments: { n, text: "x".repeat(Math.floor(random() * 400)) },
      _meta: { "claudecode/toolUseId": `call-${n}` },
    },
  };
  return (
    JSON.stringify({
      ts: new Date().toISOString(),
      dir: "c2s",
      session: `kill-${n % 5}`,
      server: { name: "disk" },
      msg,
    }) + "\n"
  );
}

function burst(): void {
  for (let i = 0; i < 6 && !stopping; i++) {
    const at = Math.floor(random() * FILES);
    const text = line(written);
    const cut = random() < 0.2 ? Math.floor(random() * text.length) : text.length;
    writeSync(files[at]!, text.slice(0, cut));
    if (cut < text.length) writeSync(files[at]!, text.slice(cut));
    written++;
    if (random() < 0.006) rotate(at);
  }
  if (!stopping) {
    setTimeout(burst, 20);
    return;
  }
  console.log(written);
}
burst();
