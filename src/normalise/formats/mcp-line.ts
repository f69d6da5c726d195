// What all events of one MCP line share: who spoke to whom, over what, and the ids that join answers to requests.
import type { Action } from "../../core/generated/classes.ts";
import type { Event } from "../../core/generated/event.ts";
import { type Fields, type Scope, asHeld, asNumber, asObject, asText, asTexts } from "../format.ts";
import type { Session } from "../session.ts";
import { hostOf } from "../url.ts";
import { asCount } from "./fields.ts";

/** First revision without sessions. */
const STATELESS = "2026-07-28";
const ID_CHARS_MAX = 128;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

export interface Exchange {
  readonly method: string | undefined;
  readonly status: number | undefined;
  readonly host: string | undefined;
  /** The session header of revisions before 2026-07-28. */
  readonly session: string | undefined;
  readonly protocol: string | undefined;
}

/** The envelope of a line. */
export interface Line {
  readonly scope: Scope;
  readonly session: Session;
  readonly time: string | number | undefined;
  readonly dir: "c2s" | "s2c";
  readonly conn: string | undefined;
  /** The connection, or the stream when connections have no id. */
  readonly key: string;
  readonly fields: Fields;
  readonly server: Fields | undefined;
  readonly http: Exchange | undefined;
}

/** An event of this line with everything set that the envelope and the connection tell. */
export function begin(line: Line, action: Action, method: string | undefined): Event {
  const e = line.scope.event(action, line.time);
  e["mcp.method.name"] = method;
  e["tapline.direction"] = line.dir;
  e["tapline.connection"] = line.conn;
  const known = line.session.connection(line.key);
  if (known !== undefined) {
    if (known.protocol !== undefined) setProtocol(e, known.protocol);
    setServer(e, known.server, known.server_version, known.server_source);
    setClient(e, known.client, known.client_version);
  }
  if (line.server !== undefined) setConfigured(e, line.server);
  const fields = line.fields;
  const client = fields["client"];
  if (client !== undefined) setConfiguredClient(e, client);
  if (fields["user"] !== undefined) setUser(e, fields["user"]);
  if (fields["agent"] !== undefined) setAgent(e, fields["agent"]);
  if (line.http !== undefined) setExchange(e, line.http);
  return e;
}

export function nameOf(value: unknown): string | undefined {
  return asText(value) ?? asText(asObject(value)?.["name"]);
}

function setServer(
  e: Event,
  name: string | undefined,
  version: string | undefined,
  source: string | undefined,
): void {
  if (version !== undefined) e["tapline.server.version"] = version;
  if (name === undefined) return;
  e["tapline.server.name"] = name;
  e["tapline.server.identity_source"] = source;
  e["service.target.type"] = "mcp";
  e["service.target.name"] = name;
}

/** A server as the configuration of the client or the proxy has it. */
function setConfigured(e: Event, server: Fields): void {
  setServer(e, asText(server["name"]), asText(server["version"]), "configured");
  const command = server["command"];
  e["tapline.server.command"] = asText(command) ?? asText(asTexts(command).join(" "));
  const url = asText(server["url"]);
  const transport = asText(server["transport"]);
  e["tapline.server.transport"] = transport;
  if (url !== undefined) {
    e["tapline.server.url"] = url;
    e["server.address"] = hostOf(url);
  }
  if (transport === "stdio") e["network.transport"] = "pipe";
  else if (transport !== undefined || url !== undefined) {
    e["network.transport"] = "tcp";
    e["network.protocol.name"] = "http";
  }
}

/** The client as the proxy knows it: its name, its process and where it works. */
function setConfiguredClient(e: Event, client: unknown): void {
  const fields = asObject(client);
  setClient(e, nameOf(client), asText(fields?.["version"]));
  if (fields === undefined) return;
  e["process.pid"] = asCount(fields["pid"]);
  e["process.working_directory"] = asText(fields["cwd"]);
}

export function setClient(e: Event, name: string | undefined, version: string | undefined): void {
  if (name === undefined) return;
  e["tapline.client.name"] = name;
  e["tapline.client.version"] = version;
  e["service.name"] = name;
  e["service.version"] = version;
}

function setUser(e: Event, user: unknown): void {
  const fields = asObject(user);
  e["user.name"] = nameOf(user);
  if (fields === undefined) return;
  e["user.id"] = asText(fields["id"]);
  e["user.email"] = asText(fields["email"]);
}

function setAgent(e: Event, agent: unknown): void {
  const fields = asObject(agent);
  e["gen_ai.agent.name"] = nameOf(agent);
  if (fields === undefined) return;
  e["gen_ai.agent.id"] = asText(fields["id"]);
  e["gen_ai.agent.version"] = asText(fields["version"]);
}

function setExchange(e: Event, http: Exchange): void {
  e["http.request.method"] = http.method;
  e["http.response.status_code"] = http.status;
  e["network.transport"] = "tcp";
  e["network.protocol.name"] = "http";
  e["tapline.server.transport"] = "http";
  e["server.address"] = http.host;
  e["mcp.session.id"] = http.session;
  const protocol = http.protocol ?? e["mcp.protocol.version"];
  if (protocol !== undefined) setProtocol(e, protocol);
}

/** From 2026-07-28 on there is no session; a header that still names one means nothing. */
export function setProtocol(e: Event, version: string): void {
  e["mcp.protocol.version"] = version;
  if (version >= STATELESS) e["mcp.session.id"] = undefined;
}

/** What `_meta` of a message says: trace, the harness's call id, and since 2026-07-28 both ends and the revision. */
export function setMeta(e: Event, line: Line, value: unknown): void {
  const meta = asObject(value);
  if (meta === undefined) return;
  const trace = meta["traceparent"];
  const ids = typeof trace === "string" && trace.length === 55 ? TRACEPARENT.exec(trace) : null;
  if (ids !== null) {
    e["trace.id"] = ids[1];
    e["span.id"] = ids[2];
  }
  e["gen_ai.tool.call.id"] ??= asText(meta["claudecode/toolUseId"]);
  const version = asText(meta["io.modelcontextprotocol/protocolVersion"]);
  const client = asObject(meta["io.modelcontextprotocol/clientInfo"]);
  const server = asObject(meta["io.modelcontextprotocol/serverInfo"]);
  if (version === undefined && client === undefined && server === undefined) return;
  if (version !== undefined) setProtocol(e, version);
  if (client !== undefined && nameOf(line.fields["client"]) === undefined) {
    setClient(e, asText(client["name"]), asText(client["version"]));
  }
  if (server !== undefined) setReported(e, line, server);
  learn(e, line);
}

/** Where the configuration names the server, that name stands; what the server says of itself may be a lie. */
export function setReported(e: Event, line: Line, info: Fields): void {
  if (nameOf(line.server) === undefined)
    setServer(e, asText(info["name"]), asText(info["version"]), "self_reported");
  else e["tapline.server.version"] ??= asText(info["version"]);
}

/** Remembers the ends of the connection where the event says anything new of them. */
export function learn(e: Event, line: Line): void {
  const known = line.session.connection(line.key);
  const same =
    known !== undefined &&
    known.protocol === e["mcp.protocol.version"] &&
    known.server === e["tapline.server.name"] &&
    known.server_version === e["tapline.server.version"] &&
    known.client === e["tapline.client.name"] &&
    known.client_version === e["tapline.client.version"];
  if (!same) line.session.learn(line.key, e);
}

/** What joins an answer to its request: connection, direction of the request, id ("1" is not 1). Proxies of two
 * servers may give their connections the same number, so a configured server is part of it. */
export function refOf(line: Line, asked: "c2s" | "s2c", id: unknown): string | undefined {
  const from =
    line.conn === undefined || line.server === undefined ? line.key : line.key + "/" + nameOf(line.server);
  const arrow = asked === "c2s" ? ">" : "<";
  if (typeof id === "number") return from + arrow + id;
  if (typeof id !== "string") return undefined;
  return from + arrow + '"' + (id.length > ID_CHARS_MAX ? line.scope.digest(id) : id);
}

/** What joins a task of the server of this event to the call that it was made of. */
export function taskOf(e: Event, line: Line, id: string): string {
  return `task.${e["tapline.server.name"] ?? line.key}.${line.scope.digest(id)}`;
}

/** What joins the answer to a request for a task's result to that task. */
export function askedFor(ref: string): string {
  return `task.${ref}`;
}

/** Marks `e` as the call that waits under `ref`, told of again: it was asked about before, or is decided now. */
export function again(line: Line, e: Event, ref: string): void {
  const call = line.session.waiting(ref);
  if (call === undefined) return;
  e["tapline.tool.args_hash"] = call.args_hash;
  e["tapline.call_key"] = call.key === "" ? undefined : call.key;
  e["tapline.primary"] = call.primary;
  line.session.request(e, ref);
}

/** Token limits and the like of a request to a model. */
export function setSampling(e: Event, params: Fields): void {
  e["gen_ai.operation.name"] = "chat";
  e["gen_ai.request.max_tokens"] = asCount(params["maxTokens"]);
  e["gen_ai.request.temperature"] = asNumber(params["temperature"]);
}

/** Keeps what has no field of its own. */
export function setRest(e: Event, as: string, value: Fields): void {
  const { _meta, ...rest } = value;
  for (const _key in rest) {
    e["tapline.ext"] = { [as]: asHeld(rest) };
    return;
  }
}
