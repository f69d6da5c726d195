// Answers of a server: what they list, and what they ask of the client. Hands definitions to policy and leaves out of a
// listing what the caller may not use; everything else passes as it came.
import { definitionHash } from "../core/definition.ts";
import { LIMITS } from "../core/limits.ts";
import type { Decision } from "../policy/contract.ts";
import { type Decisions, type Step } from "./decisions.ts";
import { type Fields, type Message, asFields, partsOf, textOf } from "./json-rpc.ts";
import { isDecided } from "./methods.ts";
import type { Peer } from "./peer.ts";
import { refusal, refusalOfAnswer } from "./refusal.ts";

export class ServerAnswers {
  readonly #decisions: Decisions;

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  step(peer: Peer, message: Message): Step {
    const pending = peer.answered(message.id);
    const result = asFields(message.fields["result"]);
    const refused = this.#decideInner(peer, message, result?.["inputRequests"]);
    if (refused !== undefined)
      return { pass: refusalOfAnswer(message.id, pending?.message, refused.reason, refused) };
    if (result === undefined) return { pass: message.raw };
    if (Array.isArray(result["tools"])) return this.listed(peer, message, result, result["tools"]);
    if (pending?.message.method === "initialize") this.#connected(peer, result);
    return { pass: message.raw };
  }

  /** A message that is not decided itself: the server may ask the client in it all the same, for a task. */
  told(peer: Peer, message: Message): Step {
    const params = asFields(message.fields["params"]);
    const refused = this.#decideInner(peer, message, params?.["inputRequests"]);
    if (refused === undefined) return { pass: message.raw };
    return { pass: undefined, answer: refusal(message, refused.reason, refused) };
  }

  /** The version is what the server says; its name stays the configured one. */
  #connected(peer: Peer, result: Fields): void {
    const version = textOf(asFields(result["serverInfo"])?.["version"])?.slice(0, LIMITS.state_key_chars);
    if (version !== undefined && version !== this.#decisions.server.version)
      this.#decisions.server = { ...this.#decisions.server, version };
    peer.renamed(this.#decisions.server);
  }

  /** Hands definitions to policy, and leaves out of a listing what the caller may not use anyway. */
  listed(peer: Peer, message: Message, result: Fields, tools: readonly unknown[]): Step {
    const named = tools.flatMap((value) => {
      const tool = asFields(value);
      const name = textOf(tool?.["name"]);
      return name === undefined ? [] : [{ name, hash: definitionHash(tool!) }];
    });
    for (const { name, hash } of named) {
      this.#decisions.definitions.set(name, hash);
      if (this.#decisions.definitions.size > LIMITS.definitions)
        this.#decisions.definitions.delete(this.#decisions.definitions.keys().next().value!);
    }
    const { hidden, changed } = this.#decisions.policy.list(this.#decisions.server, named, {
      user: this.#decisions.user,
      agent: peer.agent,
    });
    const policy = this.#decisions.policy.hash;
    for (const tool of changed) {
      const reason = "The definition is not the one that was reviewed or first seen.";
      const definition = this.#decisions.definitions.get(tool);
      this.#decisions.recorder.notice(peer.envelope, "s2c", {
        type: "quarantined",
        reason,
        tool,
        definition,
        policy,
      });
    }
    if (hidden.size === 0) return { pass: message.raw };
    const reason = "Policy refuses these tools to this caller.";
    this.#decisions.recorder.notice(peer.envelope, "s2c", {
      type: "hidden",
      reason,
      tools: [...hidden],
      mode: "enforce",
      policy,
    });
    const left = tools.filter((tool) => !hidden.has(textOf(asFields(tool)?.["name"]) ?? ""));
    return { pass: JSON.stringify({ ...message.fields, result: { ...result, tools: left } }) };
  }

  /** Since 2026-07-28 a server asks the client within what it answers or tells, whatever else is in it. Decides on each and
   * records the message; gives the decision by which it must not pass. */
  #decideInner(peer: Peer, message: Message, wanted: unknown): Decision | undefined {
    let refused: Decision | undefined;
    for (const fields of partsOf(wanted)) {
      const method = textOf(fields["method"]);
      if (method === undefined || !isDecided(method, "s2c")) continue;
      const raw = JSON.stringify({ method, params: fields["params"] });
      const { decision, pass } = this.#decisions.inner(peer, { raw, fields, method, id: undefined });
      if (!pass) refused ??= decision;
    }
    const envelope = wanted !== undefined ? `${peer.envelope},"decided":true` : peer.envelope;
    this.#decisions.recorder.message(envelope, "s2c", message.raw);
    return refused;
  }
}
