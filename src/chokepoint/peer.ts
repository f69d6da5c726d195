// One connection between a client and a server: who they are, which requests wait for an answer, and whom a question
// about a call can be put to. Bounded, whatever either end sends.
import { LIMITS } from "../core/limits.ts";
import { type Fields, type Message, asFields, textOf } from "./json-rpc.ts";
import { type Ends, envelopeOf } from "./recorder.ts";
import { isStatelessVersion } from "./refusal.ts";

const META = "io.modelcontextprotocol/";

/** A request of the client that was passed on. */
export interface Pending {
  readonly message: Pick<Message, "id" | "method" | "fields" | "raw">;
}

export class Peer {
  readonly conn: string;
  envelope: string;
  /** Name of the client, as it says. */
  agent: string | undefined;
  /** The revision without sessions: the server asks within its answers. */
  stateless = false;
  /** The client can show a form to its user. */
  elicits = false;
  /** Sends a message to the client beside the answer to the request in hand; false when it cannot. */
  send: ((text: string) => boolean) | undefined;
  /** Sends a message of the proxy's own to the server, beside the request in hand; its answer comes as all others do. */
  ask: ((text: string) => void) | undefined;
  /** Questions put to the client, by id. */
  readonly asked = new Map<string, (answer: Fields) => void>();
  /** Calls that wait for a person, by id; called when the client gives the call up. */
  readonly held = new Map<string, () => void>();
  held_chars = 0;
  readonly #ends: Omit<Ends, "agent">;
  readonly #pending = new Map<string, Pending>();

  constructor(ends: Omit<Ends, "agent">, send?: (text: string) => boolean) {
    this.#ends = ends;
    this.conn = ends.conn;
    this.send = send;
    this.envelope = envelopeOf({ ...ends, agent: undefined });
  }

  /** Takes in what `initialize`, or since 2026-07-28 any request, says of the client. */
  learn({ method, fields }: Message): void {
    const params = asFields(fields["params"]);
    if (params === undefined) return;
    if (method === "initialize") {
      this.#client(asFields(params["clientInfo"]), asFields(params["capabilities"]));
      this.stateless = false;
      return;
    }
    const meta = asFields(params["_meta"]);
    const version = meta?.[`${META}protocolVersion`];
    if (typeof version !== "string") return;
    this.stateless = isStatelessVersion(version);
    this.#client(asFields(meta![`${META}clientInfo`]), asFields(meta![`${META}clientCapabilities`]));
  }

  #client(info: Fields | undefined, capabilities: Fields | undefined): void {
    this.agent = textOf(info?.["name"])?.slice(0, LIMITS.state_key_chars) ?? this.agent;
    const elicitation = asFields(capabilities?.["elicitation"]);
    this.elicits =
      elicitation !== undefined && (elicitation["form"] !== undefined || elicitation["url"] === undefined);
  }

  /** Another name or version of the server is known. */
  renamed(server: object): void {
    this.envelope = envelopeOf({ ...this.#ends, server, agent: undefined });
  }

  wait(message: Message): void {
    if (message.id === undefined) return;
    const { id, method, fields } = message;
    // Of a request no more is kept than its answer needs.
    const kept = method === "tools/call" ? { params: { task: asFields(fields["params"])?.["task"] } } : {};
    this.#pending.set(keyOf(id), { message: { id, method, fields: kept, raw: "" } });
    if (this.#pending.size > LIMITS.pending_requests)
      this.#pending.delete(this.#pending.keys().next().value!);
  }

  /** The request that an answer belongs to; it waits no longer. */
  answered(id: string | number | undefined): Pending | undefined {
    if (id === undefined) return undefined;
    const key = keyOf(id);
    const found = this.#pending.get(key);
    this.#pending.delete(key);
    return found;
  }

  /** All requests that wait; they wait no longer. */
  giveUp(): Pending["message"][] {
    const all = [...this.#pending.values()].map(({ message }) => message);
    this.#pending.clear();
    return all;
  }
}

/** 1 is not "1". */
export function keyOf(id: string | number): string {
  return typeof id === "number" ? String(id) : `"${id.slice(0, LIMITS.state_text_chars)}`;
}
