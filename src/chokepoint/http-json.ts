// JSON that a server answers, through the gate: one body, or a message a line.
import type { Readable } from "node:stream";
import { LIMITS } from "../core/limits.ts";
import type { Outcome } from "./gate.ts";
import { isBlank, saysMessage } from "./http-content.ts";
import { NEWLINE, inLines, isMessage, joined } from "./http-lines.ts";
import type { Reply } from "./http-reply.ts";
import { Pieces } from "./pieces.ts";
import { eventText } from "./sse.ts";

const TOO_LONG = `The answer is longer than ${LIMITS.message_bytes} bytes.`;

export async function passJson(reply: Reply): Promise<void> {
  const { response, own } = reply.asked;
  const held = new Pieces();
  // Some servers say JSON and write a message a line, for as long as the connection lasts.
  let may_be_lines =
    reply.answer.headers["content-length"] === undefined && own.length === 0 && !response.headersSent;
  let lines: Buffer | undefined;
  for await (const chunk of chunksOf(reply.source)) {
    held.push(chunk);
    if (held.bytes > LIMITS.message_bytes) break;
    if (!may_be_lines || !chunk.includes(NEWLINE)) continue;
    may_be_lines = false;
    const all = held.take();
    if (isMessage(all.subarray(0, all.indexOf(NEWLINE)))) {
      lines = all;
      break;
    }
    held.push(all);
  }
  if (lines !== undefined) return passLines(reply, lines);
  const long = held.bytes > LIMITS.message_bytes;
  const body = held.take();
  if (long) return passLong(reply, body);
  const none = isBlank(body) || (!reply.holdsMessages && !saysMessage(body));
  finish(reply, body, none ? { forward: body, answers: [] } : await reply.fromServer(body));
}

function chunksOf(source: Readable): AsyncIterable<Buffer> {
  return source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

function finish(reply: Reply, body: Buffer, { forward, answers, fault }: Outcome): void {
  const { response, own } = reply.asked;
  reply.back(answers);
  const text = forward?.toString();
  if (response.headersSent) {
    const events = [...own, ...(text === undefined || text === "" ? [] : [text])];
    response.end(events.map(eventText).join(""));
  } else if (fault !== undefined && forward === undefined && own.length === 0)
    reply.refused("Refused by policy. What the server answered cannot be relied on.");
  else if (forward === body && own.length === 0) {
    reply.head();
    response.end(body);
  } else {
    reply.head("content-length");
    response.end(own.length === 0 ? (text ?? "") : joined(text, own));
  }
}

/** One message after the other, each at once. */
async function passLines(reply: Reply, first: Buffer): Promise<void> {
  const { response } = reply.asked;
  reply.head();
  for await (const { line, long } of inLines(first, chunksOf(reply.source))) {
    if (long) {
      if (reply.violation("too_long", line) === "block") return reply.refused(TOO_LONG);
      response.write(line);
      continue;
    }
    const { forward, answers } = isBlank(line)
      ? { forward: line, answers: [] }
      : await reply.fromServer(line);
    if (forward === line) response.write(line);
    else if (forward !== undefined) response.write(`${forward.toString()}\n`);
    reply.back(answers);
    if (response.writableNeedDrain)
      await new Promise<void>((done) => response.once("drain", done).once("close", done));
  }
  response.end();
}

/** Longer than anyone here would hold: passed on as it comes where policy only observes. */
function passLong(reply: Reply, begin: Buffer): void {
  const { response, own } = reply.asked;
  const joins = own.length > 0 || response.headersSent;
  if (reply.violation("too_long", begin, undefined, joins ? "block" : undefined) === "block")
    return reply.refused(TOO_LONG);
  reply.head();
  response.write(begin);
  reply.flow((chunk) => response.write(chunk));
  reply.source.resume();
}
