// A question of the proxy's own to a server over HTTP, with the headers of the request that made it necessary. Of what
// comes back only answers to the proxy are looked at; nothing of it reaches the client.
import type { IncomingMessage } from "node:http";
import { reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { kindOf } from "./http-content.ts";
import type { Parts } from "./http-reply.ts";
import type { Peer } from "./peer.ts";
import { Pieces } from "./pieces.ts";
import { SseCutter } from "./sse.ts";

export function askServer(parts: Parts, peer: Peer, from: IncomingMessage, text: string): void {
  const { gate, upstream, warn } = parts;
  const take = async (bytes: Buffer): Promise<void> => {
    try {
      if (gate.decisions.listing.mayAnswer(bytes)) await gate.fromServer(peer, bytes);
    } catch (error) {
      warn(`tools/list: ${reasonOf(error)}`); // whoever waits for it waits no longer than the bound
    }
  };
  const request = upstream.ask(from, text, "tools/list", (answer) => {
    const kind = kindOf(answer);
    answer.on("error", () => {});
    if (kind === "events") {
      const cutter = new SseCutter(
        ({ data }) => void (data === undefined ? undefined : take(Buffer.from(data))),
        () => answer.destroy(),
      );
      answer.on("data", (chunk: Buffer) => cutter.push(chunk));
      answer.on("end", () => cutter.end());
    } else if (kind === "json") {
      const held = new Pieces();
      answer.on("data", (chunk: Buffer) => {
        held.push(chunk);
        if (held.bytes > LIMITS.message_bytes) answer.destroy();
      });
      answer.on("end", () => void take(held.take()));
    } else answer.resume();
  });
  request.on("error", () => {});
  const timer = setTimeout(() => request.destroy(), LIMITS.list_ms);
  request.on("close", () => clearTimeout(timer));
}
