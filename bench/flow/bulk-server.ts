// The bulk endpoint of the benches: counts the documents of a request and says that all were created. Knows no
// documents, keeps nothing. Prints its URL.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const CREATED = '{"create":{"status":201}}';

const server = createServer((request, response) => {
  let lines = 0;
  request.on("data", (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
  });
  request.on("end", () => {
    response.writeHead(200, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
    if (request.url?.includes("_bulk") !== true) return response.end("{}");
    const items = Array.from({ length: lines / 2 }, () => CREATED).join();
    return response.end(`{"errors":false,"took":1,"items":[${items}]}`);
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
