// The endpoint that the collectors of this bench send to: takes `_bulk` and OTLP as JSON, says that all was taken, counts
// documents, and with --look the tags and rules in them, each once a document. GET /counts tells. Prints its URL.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const CREATED = '{"create":{"status":201}}';
const RECORD = "observedTimeUnixNano";
const FOUND = /\b(?:tag-(?:call|egress|code|chat|source)|rule-\d\d)\b/g;
const look = process.argv.includes("--look");

export interface Counts {
  readonly documents: number;
  readonly bytes: number;
  readonly found: Readonly<Record<string, number>>;
}

let documents = 0;
let bytes = 0;
const found: Record<string, number> = {};

function inspect(document: string): void {
  for (const name of new Set(document.match(FOUND))) found[name] = (found[name] ?? 0) + 1;
}

/** Documents of a `_bulk` body: every second line. */
function bulk(body: Buffer): number {
  let lines = 0;
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) lines++;
  if (look) {
    for (const [i, line] of body.toString().split("\n").entries()) if (i % 2 === 1) inspect(line);
  }
  return lines / 2;
}

function otlp(body: Buffer): number {
  let records = 0;
  for (let at = body.indexOf(RECORD); at !== -1; at = body.indexOf(RECORD, at + RECORD.length)) records++;
  if (look) for (const record of body.toString().split(RECORD).slice(1)) inspect(record);
  return records;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => void chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(200, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
    const body = Buffer.concat(chunks);
    const path = request.url ?? "";
    if (path === "/counts") return response.end(JSON.stringify({ documents, bytes, found }));
    if (!path.includes("_bulk") && !path.startsWith("/v1/logs")) return response.end("{}");
    bytes += body.length;
    if (!path.includes("_bulk")) {
      documents += otlp(body);
      return response.end("{}");
    }
    const items = bulk(body);
    documents += items;
    return response.end(
      `{"errors":false,"took":1,"items":[${Array.from({ length: items }, () => CREATED).join()}]}`,
    );
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
