// A question of the proxy's own to a server over HTTP, with the headers of the request that made it necessary. Of what
// comes back only answers to the proxy are looked at; nothing of it reaches the client.
import type { IncomingMessage } from "node:http";
import { LIMITS } from "../core/limits.ts";
import { EVENTS_TYPE, JSON_TYPE, type Parts } from "./http-answer.ts";
import type { Peer } from "./peer.ts";
import { SseCutter } from "./sse.ts";

export function askServer({ gate, upstream }: Parts, peer: Peer, from: IncomingMessage, text: string): void {
  const take = (bytes: Buffer): void => {
    if (gate.decisions.listing.mayAnswer(bytes)) void gate.fromServer(peer, bytes);
  };
  const request = upstream.ask(from, text, "tools/list", (answer) => {
    const type = answer.headers["content-type"] ?? "";
    answer.on("error", () => {});
    if (EVENTS_TYPE.test(type)) {
      const cutter = new SseCutter(
        ({ data }) => data !== undefined && take(Buffer.from(data)),
        () => answer.destroy(),
      );
      answer.on("data", (chunk: Buffer) => cutter.push(chunk));
      answer.on("end", () => cutter.rest());
    } else if (JSON_TYPE.test(type)) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > LIMITS.message_bytes) answer.destroy();
        else chunks.push(chunk);
      });
      answer.on("end", () => take(Buffer.concat(chunks)));
    } else answer.resume();
  });
  request.on("error", () => {}); // whoever waits for the answer waits no longer than the bound
  const timer = setTimeout(() => request.destroy(), LIMITS.list_ms);
  request.on("close", () => clearTimeout(timer));
}
