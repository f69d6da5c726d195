// Server-sent events of a server, each through the gate and at once: it passes as it came unless something in it had to
// be left out.
import { isUtf8 } from "node:buffer";
import type { Reply } from "./http-reply.ts";
import { type SseEvent, SseCutter, eventText, withData } from "./sse.ts";

export function passEvents(reply: Reply): void {
  const { response, own } = reply.asked;
  reply.head("content-length");
  response.flushHeaders();
  for (const text of own) response.write(eventText(text));
  const cutter = new SseCutter(
    (event) => passEvent(reply, event),
    (bytes) => {
      if (reply.violation("too_long", bytes) === "pass") response.write(bytes);
      else reply.refused("An event is too long.");
    },
  );
  reply.flow(
    (chunk) => cutter.push(chunk),
    () => cutter.end(), // some clients take what the end of the stream cut off for an event
  );
}

/** What two readers of a stream may understand differently. */
function wrongIn(raw: Buffer): "not_utf8" | "line_break" | undefined {
  if (!isUtf8(raw)) return "not_utf8";
  return raw.includes("\r") && /\r(?!\n|$)/.test(raw.toString("latin1")) ? "line_break" : undefined;
}

function passEvent(reply: Reply, event: SseEvent): void {
  const { response } = reply.asked;
  const { data, name, raw } = event;
  const wrong = wrongIn(raw);
  if (wrong !== undefined && reply.violation(wrong, raw) === "block") return;
  if (data === undefined) response.write(raw);
  else if (name === "endpoint") passEndpoint(reply, event, data);
  else {
    const bytes = Buffer.from(data);
    reply.through(bytes, ({ forward, answers }) => {
      if (forward === bytes) response.write(raw);
      else if (forward !== undefined) response.write(withData(event, forward.toString()));
      reply.back(answers);
    });
  }
}

/** The older transport: where the client is to send its messages must lie behind this proxy. */
function passEndpoint(reply: Reply, event: SseEvent, data: string): void {
  const { parts, peer, request, response, send } = reply.asked;
  const path = parts.upstream.pathOf(data, request);
  if (path === undefined) {
    reply.violation("foreign_endpoint", event.raw, undefined, "block");
    return;
  }
  parts.peers.keep(path, peer);
  peer.send = send; // whatever is answered to the client's messages comes on this stream
  response.write(data === path ? event.raw : withData(event, path));
}
