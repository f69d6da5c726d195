// Makes bench input: MCP records of 64 interleaved agent sessions over 8 files, calls and their results, 500 to 900
// bytes each, some of about 10 KB, 0.1 % malformed. Deterministic: the same numbers give the same bytes.
import { createWriteStream, mkdirSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";

/** mulberry32: small, seeded, good enough for test data. */
function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WORDS =
  "the agent reads a file and writes its summary to the report while customer orders for march are compared with " +
  "invoices from the warehouse team who asked about shipping delays in region north and the build failed because " +
  "module resolver could not find package names listed under dependencies so tests were skipped until review";
const words = WORDS.split(" ");
const SERVERS = [
  ["filesystem", "1.2.0", "npx -y @modelcontextprotocol/server-filesystem /srv/work"],
  ["github", "0.9.1", "docker run -i ghcr.io/github/github-mcp-server"],
  ["postgres", "0.6.2", "npx -y @modelcontextprotocol/server-postgres"],
  ["slack", "2.1.4", "npx -y slack-mcp-server"],
  ["fetch", "0.4.0", "uvx mcp-server-fetch"],
  ["jira", "1.0.3", "uvx mcp-atlassian"],
] as const;
const TOOLS = [
  ["read_file", "list_directory", "write_file", "search_files"],
  ["get_issue", "create_issue", "list_commits", "search_code"],
  ["query", "list_tables"],
  ["post_message", "list_channels", "get_thread"],
  ["fetch"],
  ["get_ticket", "add_comment", "search"],
] as const;

export class Generator {
  readonly #random: () => number;
  #time_ms = Date.UTC(2026, 10, 1);
  #ids = 0;
  readonly #waiting: { conn: string; session: number; server: number; id: number }[] = [];

  constructor(seed: number) {
    this.#random = random(seed);
  }

  #int(max: number): number {
    return Math.floor(this.#random() * max);
  }

  #text(bytes: number): string {
    let text = "";
    while (text.length < bytes) {
      const r = this.#random();
      if (r < 0.02) text += `/srv/work/src/part${this.#int(90)}/file_${this.#int(900)}.ts `;
      else if (r < 0.03) text += `${this.#int(1e9).toString(16)}-${this.#int(1e9).toString(16)} `;
      else text += words[this.#int(words.length)] + (this.#random() < 0.06 ? ".\\n" : " ");
    }
    return text;
  }

  #size(): number {
    return this.#random() < 0.002 ? 10_000 : 500 + this.#int(400);
  }

  /** The next line of a file that holds sessions `first` to `first + 7`. */
  line(first: number): string {
    this.#time_ms += 3;
    if (this.#random() < 0.001)
      return `{"ts":"${new Date(this.#time_ms).toISOString()}","dir":"c2s","msg":{"jsonrpc`;
    const at = this.#waiting.findIndex((w) => w.session >= first && w.session < first + 8);
    return at !== -1 && (this.#waiting.length > 40 || this.#random() < 0.5)
      ? this.#result(at)
      : this.#call(first);
  }

  #call(first: number): string {
    const session = first + this.#int(8);
    const server = this.#int(SERVERS.length);
    const [name, version, command] = SERVERS[server]!;
    const tools = TOOLS[server]!;
    const tool = tools[this.#int(tools.length)]!;
    const id = ++this.#ids;
    const conn = `c${session}-${server}`;
    this.#waiting.push({ conn, session, server, id });
    const head =
      `{"ts":"${new Date(this.#time_ms).toISOString()}","dir":"c2s","conn":"${conn}","session":"sess-${session}-4f1c9b7e","user":"u${session % 7}",` +
      `"server":{"name":"${name}","version":"${version}","command":"${command}","transport":"stdio"},"msg":{"jsonrpc":"2.0","id":${id},` +
      `"method":"tools/call","params":{"name":"${tool}","arguments":{"path":"/srv/work/doc/${this.#int(9999)}.md","query":"`;
    return (
      head +
      this.#text(Math.max(20, this.#size() - head.length - 60)) +
      `","limit":${this.#int(100)}},"_meta":{"progressToken":${id}}}}}`
    );
  }

  #result(at: number): string {
    const [{ conn, session, server, id }] = this.#waiting.splice(at, 1) as [
      { conn: string; session: number; server: number; id: number },
    ];
    const [name, version, command] = SERVERS[server]!;
    const head =
      `{"ts":"${new Date(this.#time_ms).toISOString()}","dir":"s2c","conn":"${conn}","session":"sess-${session}-4f1c9b7e","user":"u${session % 7}",` +
      `"server":{"name":"${name}","version":"${version}","command":"${command}","transport":"stdio"},"msg":{"jsonrpc":"2.0","id":${id},` +
      `"result":{"content":[{"type":"text","text":"`;
    const failed = this.#random() < 0.02 ? `,"isError":true` : "";
    return head + this.#text(Math.max(20, this.#size() - head.length - 20)) + `"}]${failed}}}}`;
  }
}

/** Writes `events` lines over `files` files into `dir`; returns the paths. */
export async function generate(dir: string, events: number, files: number): Promise<string[]> {
  mkdirSync(dir, { recursive: true });
  const paths: string[] = [];
  for (let file = 0; file < files; file++) {
    const path = join(dir, `mcp-${events}-${files}-${file}.jsonl`);
    const out = createWriteStream(path);
    const generator = new Generator(file + 1);
    const per_file = Math.floor(events / files) + (file < events % files ? 1 : 0);
    let chunk = "";
    for (let i = 0; i < per_file; i++) {
      chunk += generator.line(file * 8) + "\n";
      if (chunk.length < 1 << 20 && i < per_file - 1) continue;
      if (!out.write(chunk)) await once(out, "drain");
      chunk = "";
    }
    out.end();
    await once(out, "finish");
    paths.push(path);
  }
  return paths;
}
