// What a body over HTTP is, by its headers and at first sight. Other readers take the first of two headers, the last or
// both, and a type by its beginning or anywhere within: whatever one of them may take for a message counts as one. Pure.
import type { IncomingMessage } from "node:http";
import { asFields } from "./json-rpc.ts";
import type { Upstream } from "./upstream.ts";

/** `both`: a matter of who reads it. */
export type Kind = "events" | "json" | "both" | "other";
type Headers = Pick<IncomingMessage, "rawHeaders">;

/** A header as often as it is there, together. */
export function headerOf({ rawHeaders }: Headers, name: string): string {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name).join(", ");
}

export function kindOf(headers: Headers): Kind {
  const type = headerOf(headers, "content-type").toLowerCase();
  const json = type.includes("application/json");
  if (type.includes("text/event-stream")) return json ? "both" : "events";
  return json ? "json" : "other";
}

/** How a body is encoded; undefined when it is as it is. */
export function codingOf(headers: Headers): string | undefined {
  const coding = headerOf(headers, "content-encoding").trim().toLowerCase();
  return coding === "" || coding === "identity" ? undefined : coding;
}

const KNOWN_CHARSET = /;\s*charset\s*=\s*("?)(?:utf-?8|us-ascii)\1\s*(?=$|[;,])/gi;

/** Whether the text of a body is to be read in another way than it is read here. */
export function isOtherCharset(headers: Headers): boolean {
  return /charset/i.test(headerOf(headers, "content-type").replaceAll(KNOWN_CHARSET, ""));
}

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
const PARTS_TYPE = /^multipart\/form-data\s*;\s*boundary=("?)[\w-]+\1\s*$/i;
/** What a form has of characters: too few for JSON. */
const FORM = /^[\w!#$%&'()*+,\-./:;=?@~]*$/;

/** Whether a body is a form, and nothing that anybody reads as a message. */
export function isForm(headers: Headers, body: Buffer): boolean {
  const type = headerOf(headers, "content-type").trim();
  if (FORM_TYPE.test(type)) return FORM.test(body.toString("latin1"));
  return PARTS_TYPE.test(type) && body.subarray(0, 2).toString("latin1") === "--";
}

/** Whether messages may come in answer to a request: they do not to what an authorization server is asked. */
export function wantsMessages(request: IncomingMessage, upstream: Upstream): boolean {
  const { method, url, headers } = request;
  if (upstream.isEndpoint(url) || /event-stream/i.test(headers.accept ?? "")) return true;
  const type = headerOf(request, "content-type").trim();
  return method === "POST" && !FORM_TYPE.test(type) && !PARTS_TYPE.test(type);
}

/** Words, such as "Accepted": no message to anybody. */
export function isWords(body: Buffer): boolean {
  return /^[A-Za-z0-9 .,!\r\n]*$/.test(body.toString("latin1"));
}

export function isBlank(body: Buffer): boolean {
  return body.every((c) => c === 32 || c === 9 || c === 10 || c === 13);
}

const OF_MESSAGES = new Set(["jsonrpc", "method", "result"]);

/** Whether JSON says that it is a message, to readers that do not mind case too. */
export function saysMessage(body: Buffer): boolean {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return body.includes('"jsonrpc"');
  }
  return [value]
    .flat()
    .some((one) => Object.keys(asFields(one) ?? {}).some((key) => OF_MESSAGES.has(key.toLowerCase())));
}
