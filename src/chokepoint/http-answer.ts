// What a server answers over HTTP: which kind of answer it is, and whether it can be relied on at all. What is, or might
// be taken for, a message goes through the gate; the rest passes as it came.
import type { IncomingMessage } from "node:http";
import { LIMITS } from "../core/limits.ts";
import { codingOf, headerOf, isOtherCharset, isWords, kindOf, wantsMessages } from "./http-content.ts";
import { passEvents } from "./http-events.ts";
import { passJson } from "./http-json.ts";
import { joined } from "./http-lines.ts";
import { type Asked, Reply, refuse } from "./http-reply.ts";
import { Pieces } from "./pieces.ts";
import { eventText } from "./sse.ts";

/** Passes an answer on. */
export async function passAnswer(asked: Asked, answer: IncomingMessage): Promise<void> {
  const reply = new Reply(asked, answer);
  try {
    if (!leadsHere(reply)) return reply.refused("Refused by policy. The server leads to another server.");
    const kind = kindOf(answer);
    const bodiless = isBodiless(reply);
    if (asked.own.length > 0 && reply.status < 300 && (bodiless || kind === "other")) return passOwn(reply);
    if (bodiless) return passUnread(reply);
    if (kind === "other") return await passOther(reply);
    if (kind === "both" && reply.violation("unknown_type", undefined, typeOf(answer)) === "block")
      return reply.refused("Refused by policy. The answer is of two types.");
    const coding = codingOf(answer);
    if (coding !== undefined || isOtherCharset(answer)) {
      const about = { content_encoding: coding, ...typeOf(answer) };
      if (reply.violation("encoded", undefined, about) === "block")
        return reply.refused("Refused by policy. The answer is encoded, and cannot be looked at.");
      if (coding !== undefined && !reply.decode(coding)) return passUnread(reply);
    }
    if (kind === "json") await passJson(reply);
    else passEvents(reply);
  } catch (error) {
    reply.failed(error);
  }
}

function typeOf(answer: IncomingMessage): { content_type: string } {
  return { content_type: headerOf(answer, "content-type") };
}

function isBodiless({ status, asked, answer }: Reply): boolean {
  return (
    asked.request.method === "HEAD" ||
    status === 204 ||
    status === 304 ||
    answer.headers["content-length"] === "0"
  );
}

/** Has a client that follows a redirection come through this proxy again; false where it is led elsewhere and must not be.
 * Where people sign in is another matter. */
function leadsHere(reply: Reply): boolean {
  const { parts, request } = reply.asked;
  if (reply.status < 300 || reply.status > 399) return true;
  let foreign: string | undefined;
  const raw = reply.answer.rawHeaders;
  reply.headers = raw.map((text, i) => {
    if (i % 2 === 0 || raw[i - 1]!.toLowerCase() !== "location") return text;
    const path = parts.upstream.pathOf(text, request);
    if (path === undefined) foreign ??= text;
    return path === undefined || text.split("#", 1)[0] === path ? text : path;
  });
  if (foreign === undefined || !wantsMessages(request, parts.upstream)) return true;
  return reply.violation("foreign_redirect", undefined, { location: foreign }) === "pass";
}

/** The server has nothing to say beside our own answers. */
function passOwn({ answer, asked: { response, own } }: Reply): void {
  answer.resume();
  if (response.headersSent) response.end(own.map(eventText).join(""));
  else refuse(response, 200, joined(undefined, own));
}

/** Into a stream of ours that is open already nothing goes that nobody read. */
function passUnread(reply: Reply): void {
  const { response } = reply.asked;
  const opened = response.headersSent;
  reply.head();
  reply.flow((chunk) => {
    if (!opened) response.write(chunk);
  });
}

/** Of no type that messages have: what a client might take for one all the same does not pass unseen. */
async function passOther(reply: Reply): Promise<void> {
  const { answer, asked } = reply;
  const { response } = asked;
  if (response.headersSent || !reply.holdsMessages) return passUnread(reply);
  const held = new Pieces();
  let ended = true;
  for await (const chunk of answer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held.push(chunk);
    ended = held.bytes <= LIMITS.plain_answer_bytes && isWords(chunk);
    if (!ended) break;
  }
  const begin = held.take();
  if (!ended && reply.violation("unknown_type", begin, typeOf(answer)) === "block")
    return reply.refused("Refused by policy. The answer is of no type that messages have.");
  reply.head();
  if (ended) response.end(begin);
  else {
    response.write(begin);
    reply.flow((chunk) => response.write(chunk));
    answer.resume();
  }
}
