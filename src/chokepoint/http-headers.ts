// Headers on their way through: which are passed on, what the listener demands of its own, and whether those that repeat
// the body say the same. Pure.
import type { IncomingMessage } from "node:http";
import { type Message, asFields, textOf } from "./json-rpc.ts";
import { subjectOf } from "./methods.ts";
import { isStateless } from "./refusal.ts";

/** Of one connection, not of the message. */
const HOP = new Set(
  "connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade expect".split(
    " ",
  ),
);
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** Headers as they came, in order, without those of the connection and those named. */
export function passed(raw: readonly string[], without: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  const named = new Set<string>();
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() !== "connection") continue;
    for (const name of raw[i + 1]!.split(",")) named.add(name.trim().toLowerCase());
  }
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!HOP.has(name) && !without.has(name) && (!named.has(name) || name.startsWith("mcp-")))
      kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

function hostnameOf(host: string): string | undefined {
  const m = /^(\[[0-9a-fA-F:.]+\]|[^:/\s]+)(?::\d{1,5})?$/.exec(host);
  return m?.[1]!.toLowerCase();
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host.toLowerCase());
}

/** Why a request is none for this listener, undefined when it is: pages of the web must not reach it by another name for
 * this machine. `own` is the address that it listens on. */
export function foreign({ headers, rawHeaders }: IncomingMessage, own: string): string | undefined {
  const known = (name: string | undefined): boolean =>
    name !== undefined &&
    (isLoopback(own) ? isLoopback(name) : name === own || isLoopback(name) || wild(own));
  const hosts = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === "host").length;
  if (hosts !== 1 || !known(hostnameOf(headers.host ?? ""))) return "the Host header is not this proxy's";
  const { origin } = headers;
  if (origin === undefined) return undefined;
  const from = URL.canParse(origin) ? new URL(origin).hostname : undefined;
  return known(from) ? undefined : "the Origin header is of another site";
}

function wild(own: string): boolean {
  return own === "0.0.0.0" || own === "::" || own === "[::]";
}

const SENTINEL = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

function decoded(value: string): string {
  const m = SENTINEL.exec(value);
  return m === null ? value : Buffer.from(m[1]!, "base64").toString("utf8");
}

/** Which header says other than the body, for headers that repeat it. */
export function mismatch(request: IncomingMessage, message: Message): string | undefined {
  const { headers } = request;
  const method = textOf(headers["mcp-method"]);
  if (method !== undefined && method !== message.method) return "Mcp-Method";
  const name = textOf(headers["mcp-name"]);
  if (name !== undefined && decoded(name) !== subjectOf(message).tool) return "Mcp-Name";
  const version = textOf(headers["mcp-protocol-version"]);
  if (version === undefined || !isStateless(message)) return undefined;
  const meta = asFields(asFields(message.fields["params"])?.["_meta"]);
  return meta?.["io.modelcontextprotocol/protocolVersion"] === version ? undefined : "MCP-Protocol-Version";
}
