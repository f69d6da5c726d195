// Decisions of the chokepoint: asks policy about a message, asks a person where policy says so, records what came of it,
// and only then lets the message pass. Knows MCP, and no transport.
import { randomBytes } from "node:crypto";
import { LIMITS } from "../core/limits.ts";
import type { Action, Decision, DecisionRecord, Policy, ServerIdentity } from "../policy/contract.ts";
import { Approvals } from "./approvals.ts";
import { type Answer, answerOf, askOnTerminal, formOf, questionOf } from "./ask.ts";
import type { Message } from "./json-rpc.ts";
import { Listing, type ListingParts } from "./listing.ts";
import { subjectOf } from "./methods.ts";
import { type Peer, keyOf } from "./peer.ts";
import type { Direction, Recorder } from "./recorder.ts";
import { isStateless, refusal } from "./refusal.ts";

export type Later<T> = T | Promise<T>;

/** What becomes of one message: itself or another text passes on, or not; an answer goes back, or not. */
export interface Step {
  readonly pass: string | undefined;
  readonly answer?: string | undefined;
}

export const NOTHING: Step = { pass: undefined };

export interface GateOptions {
  readonly policy: Policy;
  readonly recorder: Recorder;
  readonly server: ServerIdentity;
  readonly user: string | undefined;
  /** Where the server works, for paths in arguments. */
  readonly cwd: string | undefined;
}

export class Decisions {
  server: ServerIdentity;
  readonly policy: Policy;
  readonly recorder: Recorder;
  readonly user: string | undefined;
  readonly counts = { messages: 0, decided: 0, blocked: 0, junk: 0, junk_unrecorded: 0, violations: 0 };
  /** Hash of each tool's definition as last listed. */
  readonly definitions = new Map<string, string>();
  readonly #cwd: string | undefined;
  readonly listing: Listing;
  readonly #approvals = new Approvals();
  #asks = 0;

  constructor({ policy, recorder, server, user, cwd }: GateOptions, tools: ListingParts["tools"]) {
    this.listing = new Listing({
      sent: (peer, raw) => void this.recorder.message(peer.envelope, "c2s", raw),
      tools,
    });
    this.policy = policy;
    this.user = user;
    this.#cwd = cwd;
    this.recorder = recorder;
    this.server = server;
  }

  #decide(message: Message, peer: Peer, may_ask = true): Decision {
    const subject = subjectOf(message);
    return this.policy.decide({
      server: this.server,
      method: message.method ?? "",
      tool: subject.tool,
      arguments: subject.arguments,
      size_bytes: Buffer.byteLength(message.raw),
      user: this.user,
      agent: peer.agent,
      session: undefined,
      cwd: this.#cwd,
      definition_hash: this.definitions.get(subject.tool),
      now_ms: Date.now(),
      may_ask,
    });
  }

  /** The server says so: which definitions it has is not known until it lists them again. */
  toolsChanged(): void {
    this.definitions.clear();
    this.listing.changed();
  }

  /** Decides on a request or notification, and does it. A call whose definition has to be known, and is not, waits until
   * the server has listed its tools. */
  decided(peer: Peer, came: Message, dir: Direction): Later<Step> {
    if (dir === "c2s" && came.method === "tools/call") {
      const { tool } = subjectOf(came);
      if (!this.definitions.has(tool) && this.policy.expects(this.server, tool))
        return this.#list(peer, came);
    }
    return this.#decided(peer, came, dir);
  }

  async #list(peer: Peer, call: Message): Promise<Step> {
    const started = performance.now();
    const { tool } = subjectOf(call);
    let [why, cancelled] = ["too many calls wait", false];
    if (peer.held_chars + call.raw.length <= LIMITS.message_bytes && peer.held.size < LIMITS.held_calls) {
      const { send } = peer; // other requests of the session set theirs meanwhile
      const { promise: gone, resolve } = Promise.withResolvers<"gone">();
      const key = call.id === undefined ? `${++this.#asks} without an id` : keyOf(call.id);
      peer.held.set(key, () => resolve("gone"));
      peer.held_chars += call.raw.length;
      const ended = await Promise.race([gone, this.listing.list(peer, call)]);
      peer.held.delete(key);
      peer.held_chars -= call.raw.length;
      peer.send = send;
      if (ended === true && this.definitions.has(tool)) return this.#decided(peer, call, "c2s");
      if (ended === true) why = "the server does not list it";
      else why = ended === "gone" ? "the client gave the call up" : "the server does not list its tools";
      cancelled = ended === "gone";
    }
    const decision: Decision = {
      verdict: "deny",
      mode: "enforce",
      rule: "defaults.changed.unlisted",
      reason: `This tool has a definition that was reviewed or first seen, and whether it still has it cannot be told: ${why}.`,
      policy: this.policy.hash,
    };
    const step = this.#do(peer, call, "c2s", decision, "block", "policy", started);
    return cancelled ? NOTHING : step;
  }

  #decided(peer: Peer, came: Message, dir: Direction): Later<Step> {
    const started = performance.now();
    const approval = dir === "c2s" ? this.#approvals.take(came) : undefined;
    const message = approval?.message ?? came;
    const decision = this.#decide(message, peer);
    this.counts.decided++;
    const enforced = decision.mode === "enforce";
    if (enforced && decision.verdict === "ask") {
      if (approval === undefined) return this.#ask(peer, message, dir, decision, started);
      return this.#settle(peer, message, dir, decision, approval.answer, started);
    }
    const block = enforced && decision.verdict === "deny";
    return this.#do(peer, message, dir, decision, block ? "block" : "pass", "policy", started);
  }

  /** Decides on what a server asks for within an answer: there is nobody who could be asked in time. */
  inner(peer: Peer, message: Message): { readonly decision: Decision; readonly pass: boolean } {
    const started = performance.now();
    const decision = this.#decide(message, peer);
    const block = decision.mode === "enforce" && decision.verdict !== "allow";
    const { pass } = this.#do(peer, message, "s2c", decision, block ? "block" : "pass", "policy", started);
    return { decision, pass: pass !== undefined };
  }

  /** Records a decision and does it. */
  #do(
    peer: Peer,
    message: Message,
    dir: Direction,
    decision: Decision,
    action: Action,
    decider: DecisionRecord["decider"],
    started: number,
  ): Step {
    const latency_us = Math.round((performance.now() - started) * 1_000);
    const record: DecisionRecord = { ...decision, action, decider, latency_us };
    const definition =
      message.method === "tools/call" ? this.definitions.get(subjectOf(message).tool) : undefined;
    const unwritten = this.recorder.message(peer.envelope, dir, message.raw, record, definition);
    if (action === "block") {
      this.counts.blocked++;
      return { pass: undefined, answer: refusal(message, decision.reason, decision) };
    }
    if (unwritten !== undefined && decision.mode === "enforce") {
      this.counts.blocked++;
      const why = `The decision on this call cannot be recorded, and unrecorded calls are not let through: ${unwritten}.`;
      return { pass: undefined, answer: refusal(message, why, decision) };
    }
    if (dir === "c2s" && action === "pass") peer.wait(message);
    return { pass: message.raw };
  }

  #ask(peer: Peer, message: Message, dir: Direction, decision: Decision, started: number): Later<Step> {
    const full = peer.held_chars + message.raw.length > LIMITS.message_bytes;
    if (full || peer.held.size >= LIMITS.held_calls)
      return this.#settle(peer, message, dir, decision, "nobody", started);
    const step = this.#do(peer, message, dir, decision, "ask", "policy", started);
    if (step.pass === undefined) return step;
    const question = questionOf(message, this.server.name, peer.agent, decision.reason);
    if (peer.elicits && dir === "c2s" && isStateless(message) && message.id !== undefined)
      return { pass: undefined, answer: this.#approvals.put(message, formOf(question)) };
    return this.#question(peer, message, question).then((answer) =>
      this.#settle(peer, message, dir, decision, answer, performance.now()),
    );
  }

  /** Does what a person said of a call, or that nobody did. What is allowed is decided again: now it counts. */
  #settle(
    peer: Peer,
    message: Message,
    dir: Direction,
    decision: Decision,
    answer: Answer,
    started: number,
  ): Step {
    const now = answer === "allow" ? this.#decide(message, peer, false) : decision;
    if (now.mode === "enforce" && now.verdict === "deny")
      return this.#do(peer, message, dir, now, "block", "policy", started);
    const by = answer === "allow" || answer === "deny" ? "user" : "policy";
    const reason = `${decision.reason} ${ANSWERS[answer]}`;
    const step = this.#do(
      peer,
      message,
      dir,
      { ...decision, reason },
      answer === "allow" ? "pass" : "block",
      by,
      started,
    );
    return answer === "cancelled" ? NOTHING : step;
  }

  #question(peer: Peer, message: Message, question: string): Promise<Answer> {
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => resolve("timeout"), LIMITS.ask_ms);
    const key = message.id === undefined ? `${++this.#asks} without an id` : keyOf(message.id);
    peer.held_chars += message.raw.length;
    peer.held.set(key, () => resolve("cancelled"));
    // Nobody can guess it: the server could ask something else of the user under the same id.
    const id = `tapline-ask-${randomBytes(16).toString("hex")}`;
    const form = JSON.stringify({
      jsonrpc: "2.0",
      id,
      method: "elicitation/create",
      params: formOf(question),
    });
    if (peer.elicits && !peer.stateless && peer.send?.(form) === true)
      peer.asked.set(id, (answer) => resolve(answerOf(answer["result"])));
    else void askOnTerminal(question, abort.signal).then(resolve);
    return promise.finally(() => {
      clearTimeout(timer);
      abort.abort();
      peer.asked.delete(id);
      peer.held.delete(key);
      peer.held_chars -= message.raw.length;
    });
  }
}

const ANSWERS: Readonly<Record<Answer, string>> = {
  allow: "A person allowed it.",
  deny: "A person refused it.",
  timeout: "Nobody answered in time.",
  cancelled: "The client gave the call up.",
  nobody: "There was nobody to ask.",
};
