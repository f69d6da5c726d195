// What goes back to the client in answer to one request: what answers of all kinds have in common. Reads no faster than
// the client does.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Readable, pipeline } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Later } from "./decisions.ts";
import type { Gate, Outcome } from "./gate.ts";
import { wantsMessages } from "./http-content.ts";
import { passed } from "./http-headers.ts";
import type { HttpPeers } from "./http-peers.ts";
import type { Peer } from "./peer.ts";
import { errorText } from "./refusal.ts";
import type { Upstream } from "./upstream.ts";

const DECODERS = new Map([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
]);

export interface Parts {
  readonly gate: Gate;
  readonly peers: HttpPeers;
  readonly upstream: Upstream;
  readonly warn: (message: string) => void;
}

/** The request that is answered. */
export interface Asked {
  readonly parts: Parts;
  readonly peer: Peer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Answers of our own that go with those of the server. */
  readonly own: readonly string[];
  /** Sends a message to the client as an event of this answer; false when it cannot. */
  readonly send: (text: string) => boolean;
  /** Has questions to the client go where this answer goes. */
  readonly speak: () => void;
}

/** Answers instead of the server. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  const headers = { "content-type": "application/json", "content-length": body.length };
  response.writeHead(status, headers).end(body);
}

export class Reply {
  readonly asked: Asked;
  readonly answer: IncomingMessage;
  readonly status: number;
  /** Headers as they came, but for what leads elsewhere. */
  headers: readonly string[];
  /** What the body is read from. */
  source: Readable;
  #without: readonly string[] = [];
  /** Events whose decision is awaited: the stream ends after them. */
  #waiting = 0;
  #ended = false;

  constructor(asked: Asked, answer: IncomingMessage) {
    this.asked = asked;
    this.answer = answer;
    this.status = answer.statusCode ?? 502;
    this.headers = answer.rawHeaders;
    this.source = answer;
  }

  /** Whether a client may take the answer for messages: not an error, nor what an authorization server says. */
  get holdsMessages(): boolean {
    const { parts, request } = this.asked;
    const asks = request.method === "POST" || request.method === "GET";
    return asks && this.status >= 200 && this.status < 300 && wantsMessages(request, parts.upstream);
  }

  /** Has the body read, and passed on, without its encoding; false for one that nobody here knows. */
  decode(coding: string): boolean {
    const make = DECODERS.get(coding);
    if (make === undefined) return false;
    this.source = pipeline(this.answer, make(), () => {}); // whoever reads it is told
    this.#without = ["content-encoding", "content-length"];
    return true;
  }

  head(...without: string[]): void {
    const { response } = this.asked;
    if (response.headersSent) return;
    const headers = passed(this.headers, new Set([...this.#without, ...without]));
    response.writeHead(this.status, this.answer.statusMessage, headers);
  }

  /** Reads the answer at the speed at which the client reads ours. */
  flow(each: (chunk: Buffer) => void, end?: () => void): void {
    const { source, asked } = this;
    const { response } = asked;
    response.on("drain", () => source.resume());
    source.on("data", (chunk: Buffer) => {
      each(chunk);
      if (response.writableNeedDrain) source.pause();
    });
    source.on("end", () => {
      end?.();
      this.#ended = true;
      this.#end();
    });
    source.on("error", () => response.destroy());
    this.answer.on("aborted", () => response.destroy());
  }

  #end(): void {
    if (this.#ended && this.#waiting === 0) this.asked.response.end();
  }

  /** Does something with what the gate says, at once when it is known at once. One answer that fails takes no other with
   * it. */
  through(bytes: Buffer, pass: (outcome: Outcome) => void): void {
    try {
      const outcome = this.fromServer(bytes);
      if (!(outcome instanceof Promise)) return pass(outcome);
      this.#waiting++;
      const done = (): void => {
        this.#waiting--;
        this.#end();
      };
      void outcome
        .then(pass)
        .catch((error: unknown) => this.failed(error))
        .finally(done);
    } catch (error) {
      this.failed(error);
    }
  }

  fromServer(bytes: Buffer): Later<Outcome> {
    const { parts, peer, speak } = this.asked;
    speak();
    return parts.gate.fromServer(peer, bytes);
  }

  /** Answers to what the server asked and policy refused. */
  back(answers: readonly string[]): void {
    for (const answer of answers) this.asked.parts.upstream.send(this.asked.request, answer);
  }

  /** Tells that the answer cannot be relied on, and what is to be done about it. */
  violation(
    wrong: Parameters<Gate["violation"]>[2],
    bytes?: Buffer,
    about?: object,
    action?: "block",
  ): "pass" | "block" {
    const head = bytes?.subarray(0, LIMITS.junk_line_bytes);
    return this.asked.parts.gate.violation(this.asked.peer, "s2c", wrong, head, about, action);
  }

  /** The client gets nothing of the answer. */
  refused(why: string): void {
    const { response } = this.asked;
    this.answer.destroy();
    if (response.headersSent) response.destroy();
    else refuse(response, 502, errorText(null, -32_603, why));
  }

  /** An answer that broke off here, or that the server broke off. */
  failed(error: unknown): void {
    const cut = this.answer.destroyed && !this.answer.complete;
    if (!cut && !this.asked.response.destroyed)
      this.violation("failed", undefined, { reason: reasonOf(error) }, "block");
    this.asked.response.destroy();
  }
}
