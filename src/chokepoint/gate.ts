// The chokepoint itself: takes what either end of a connection sent, has each message in it decided and recorded, and says
// what is to be passed on and what answered instead. What cannot be relied on is told, and refused where policy is
// enforced. Knows no transport.
import { LIMITS } from "../core/limits.ts";
import { Decisions, type GateOptions, type Later, NOTHING, type Step } from "./decisions.ts";
import { type Fault, type Message, type Read, asFields, isJunk, read } from "./json-rpc.ts";
import { isDecided } from "./methods.ts";
import { type Peer, keyOf } from "./peer.ts";
import type { Direction } from "./recorder.ts";
import { INVALID_REQUEST, errorText, refusalOfAnswer } from "./refusal.ts";
import { ServerAnswers } from "./server-answers.ts";

/** What becomes of what one end sent. */
export interface Outcome {
  /** To the other end: as it came, unless something had to be left out. */
  readonly forward: Buffer | string | undefined;
  /** Back to the sender. */
  readonly answers: readonly string[];
  /** Why it was refused as a whole. */
  readonly fault?: Fault | undefined;
}

export class Gate {
  readonly decisions: Decisions;
  readonly #answers: ServerAnswers;

  constructor(options: GateOptions) {
    this.decisions = new Decisions(options, (peer, message, result, tools) => {
      this.#answers.listed(peer, message, result, tools);
    });
    this.#answers = new ServerAnswers(this.decisions);
  }

  fromClient(peer: Peer, bytes: Buffer): Later<Outcome> {
    return this.#take(peer, bytes, "c2s");
  }

  fromServer(peer: Peer, bytes: Buffer): Later<Outcome> {
    return this.#take(peer, bytes, "s2c");
  }

  #take(peer: Peer, bytes: Buffer, dir: Direction): Later<Outcome> {
    const got = read(bytes, dir);
    if (got.fault !== undefined && this.violation(peer, dir, got.fault, bytes) === "block")
      return {
        forward: dir === "c2s" ? undefined : this.instead(peer, got, got.fault),
        answers: dir === "c2s" ? this.refuse(got, got.fault) : [],
        fault: got.fault,
      };
    if (got.messages.length === 0 || got.fault === "too_deep") return { forward: bytes, answers: [] };
    this.decisions.counts.messages += got.messages.length;
    if (!got.batch) {
      const [message] = got.messages;
      const step = this.#step(peer, message!, dir);
      return step instanceof Promise
        ? step.then((s) => outcome(s, message!, bytes))
        : outcome(step, message!, bytes);
    }
    const steps = got.messages.map((message) => this.#step(peer, message, dir));
    if (!steps.some((step) => step instanceof Promise)) return together(steps as Step[], got, bytes);
    return Promise.all(steps.map(async (step) => step)).then((all) => together(all, got, bytes));
  }

  /** Records what cannot be relied on, and says what is to be done about it: with `action`, that. Text that is no message
   * for anybody comes from servers that print to standard output: it passes, and of much of it the rest is only counted. */
  violation(
    peer: Peer,
    dir: Direction,
    error: Wrong,
    bytes: Buffer | undefined,
    about?: object,
    action?: "pass" | "block",
  ): "pass" | "block" {
    const { counts, recorder } = this.decisions;
    counts.violations++;
    const { policy, server } = this.decisions;
    // On standard output what no reader takes for a message is text between messages.
    const printed = server.transport === "stdio" && bytes !== undefined && isJunk(bytes);
    const junk = error === "not_json" && dir === "s2c" && printed;
    const enforced = policy.enforces(server);
    const done = action ?? (enforced && !junk ? "block" : "pass");
    if (junk && counts.junk++ >= LIMITS.junk_notices) {
      counts.junk_unrecorded++;
      return done;
    }
    const head = bytes?.toString("utf8", 0, LIMITS.junk_line_bytes);
    recorder.notice(peer.envelope, dir, {
      type: "violation",
      reason: REASONS[error],
      error,
      action: done,
      mode: enforced ? "enforce" : "observe",
      policy: policy.hash,
      details: { ...(head === undefined ? {} : { head, bytes: bytes!.length }), ...about },
    });
    return done;
  }

  /** Answers to what is refused because it cannot be relied on. */
  refuse({ messages }: Read, fault: Fault): string[] {
    const why = `Refused by policy. ${REASONS[fault]}`;
    const ids = messages.flatMap(({ id, method }) => (id === undefined || method === undefined ? [] : [id]));
    if (messages.length > 0 && ids.length === 0) return [];
    return (ids.length === 0 ? [null] : ids).map((id) => errorText(id, INVALID_REQUEST, why));
  }

  /** What the client gets for answers that are refused because they cannot be relied on, where it is told for which call
   * they are. */
  instead(peer: Peer, { messages, batch }: Read, fault: Fault): string | undefined {
    const texts = messages.flatMap((message) => {
      if (message.method !== undefined || message.id === undefined) return [];
      if (this.decisions.listing.answer({ ...message, fields: {} })) return [];
      const asked = peer.answered(message.id)?.message;
      return refusalOfAnswer(message.id, asked, `${REASONS[fault]} It came from the server.`) ?? [];
    });
    if (texts.length === 0) return undefined;
    return batch ? `[${texts.join()}]` : texts[0];
  }

  #step(peer: Peer, message: Message, dir: Direction): Later<Step> {
    const { method } = message;
    if (method === undefined) {
      if (dir === "c2s") return this.#clientAnswer(peer, message);
      if (!this.decisions.listing.answer(message)) return this.#answers.step(peer, message);
      // To the proxy itself: recorded whatever it is, also when nobody waits for it any more.
      this.decisions.recorder.message(peer.envelope, "s2c", message.raw);
      return NOTHING;
    }
    if (dir === "s2c" && method === "notifications/tools/list_changed") this.decisions.toolsChanged();
    if (dir === "c2s") {
      peer.learn(message);
      if (method === "notifications/cancelled" && cancels(peer, message)) {
        this.decisions.recorder.message(peer.envelope, dir, message.raw);
        return NOTHING;
      }
    }
    if (isDecided(method, dir)) return this.decisions.decided(peer, message, dir);
    if (dir === "s2c") return this.#answers.told(peer, message);
    this.decisions.recorder.message(peer.envelope, dir, message.raw);
    peer.wait(message);
    return { pass: message.raw };
  }

  #clientAnswer(peer: Peer, message: Message): Step {
    const asked = typeof message.id === "string" ? peer.asked.get(message.id) : undefined;
    if (asked !== undefined) {
      asked(message.fields);
      return NOTHING;
    }
    this.decisions.recorder.message(peer.envelope, "c2s", message.raw);
    return { pass: message.raw };
  }
}

type Wrong =
  | Fault
  | "header_mismatch"
  | "foreign_endpoint"
  | "foreign_redirect"
  | "foreign_host"
  | "encoded"
  | "unknown_type"
  | "form"
  | "failed";

const REASONS: Readonly<Record<Wrong, string>> = {
  not_json: "What was sent is no JSON.",
  not_utf8: "What was sent is not valid UTF-8.",
  not_json_rpc: "What was sent is no message of JSON-RPC.",
  repeated_key: "A key is there twice: two readers may understand the message differently.",
  key_case: "Keys differ from those of the protocol, or from one another, in case alone.",
  own_id: "The server asks under an id as the proxy's own questions have.",
  line_break: "A line break within a message: two readers may see different messages.",
  too_deep: "The message is nested too deep to be looked at.",
  too_long: "The message is too long to be looked at.",
  too_many: "Too many messages in one batch.",
  foreign_endpoint: "The server names an address of another server for its messages.",
  foreign_redirect: "The server sends the client to another server.",
  encoded: "What was sent is encoded, and cannot be looked at.",
  unknown_type: "The answer is not of the type of messages, and might be taken for one.",
  form: "A form, as authorization servers take them: it passed unread.",
  failed: "The message could not be looked at.",
  foreign_host: "The request was not made to this proxy, or comes from another site.",
  header_mismatch: "The headers say another method or name than the body.",
};

function outcome({ pass, answer }: Step, message: Message, bytes: Buffer): Outcome {
  return {
    forward: pass === message.raw ? bytes : pass,
    answers: answer === undefined ? [] : [answer],
  };
}

/** A batch of which something was held back, changed or refused is put together anew. */
function together(steps: readonly Step[], got: Read, bytes: Buffer): Outcome {
  const answers = steps.flatMap(({ answer }) => answer ?? []);
  if (steps.every(({ pass }, i) => pass === got.messages[i]!.raw)) return { forward: bytes, answers };
  const passed = steps.flatMap(({ pass }) => pass ?? []);
  return { forward: passed.length === 0 ? undefined : `[${passed.join()}]`, answers };
}

/** Whether a cancellation is of a call that waits for a person; it waits no longer. */
function cancels(peer: Peer, { fields }: Message): boolean {
  const id = asFields(fields["params"])?.["requestId"];
  const cancel = typeof id === "string" || typeof id === "number" ? peer.held.get(keyOf(id)) : undefined;
  cancel?.();
  return cancel !== undefined;
}
