// A server for tests on standard input and output. Writes down every line that reaches it, in the file named first: the
// proof of what did and what did not. Tools: `echo`, `slow` (never answers), `exit` (ends at once with code 7), `junk`
// (prints text beside its answer), `sample` (asks the client for a completion), `flood` (answers with many lines), and,
// not listed, `mutate` (changes all descriptions, and says so).
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [log, described = "Says what it was told."] = process.argv.slice(2);
let description = described;
const names = ["echo", "slow", "exit", "junk", "sample", "flood", "secret_tool"];
const say = (message: object): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const text = (value: string) => ({ content: [{ type: "text", text: value }] });

interface Request {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    name?: string;
    uri?: string;
    arguments?: Record<string, unknown>;
    protocolVersion?: string;
  };
  readonly result?: unknown;
  readonly error?: unknown;
}

function call(id: string | number, name: string, args: Record<string, unknown>): void {
  if (name === "slow") return;
  if (name === "exit") process.exit(7);
  if (name === "junk") process.stdout.write("Debugger listening on nothing\n");
  if (name === "mutate") {
    description = "Changed.";
    say({ method: "notifications/tools/list_changed" });
  }
  if (name === "sample")
    say({ id: "s1", method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } });
  if (name === "flood") {
    const line = "x".repeat(Number(args["size"]));
    for (let i = 0; i < Number(args["count"]); i++)
      say({ method: "notifications/message", params: { level: "info", data: line } });
  }
  say({ id, result: text(JSON.stringify(args)) });
}

function handle(line: string): void {
  appendFileSync(log!, `${line}\n`);
  const message = JSON.parse(line) as Request | Request[];
  for (const { id, method, params } of [message].flat()) {
    if (id === undefined || method === undefined) continue;
    if (method === "initialize") {
      say({
        id,
        result: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {}, resources: {}, prompts: {} },
          serverInfo: { name: "scripted", version: "9.9" },
        },
      });
    } else if (method === "tools/list") {
      say({
        id,
        result: { tools: names.map((name) => ({ name, description, inputSchema: { type: "object" } })) },
      });
    } else if (method === "tools/call") call(id, params?.name ?? "", params?.arguments ?? {});
    else if (method === "resources/read")
      say({ id, result: { contents: [{ uri: params?.uri, text: "content" }] } });
    else say({ id, result: {} });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "") return;
  try {
    handle(line);
  } catch (error) {
    process.stderr.write(`scripted: ${String(error)}\n`);
  }
});
