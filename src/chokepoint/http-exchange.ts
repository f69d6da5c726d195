// One request over HTTP on its way through the gate: the body decides, and headers only when they say the same. What the
// server answers is read in http-answer.ts.
import type { IncomingMessage, ServerResponse } from "node:http";
import { LIMITS } from "../core/limits.ts";
import type { Outcome } from "./gate.ts";
import { passAnswer } from "./http-answer.ts";
import { askServer } from "./http-ask.ts";
import { codingOf, headerOf, isForm, isOtherCharset, kindOf } from "./http-content.ts";
import { mismatch } from "./http-headers.ts";
import { type Parts, refuse } from "./http-reply.ts";
import { read } from "./json-rpc.ts";
import type { Peer } from "./peer.ts";
import { Pieces } from "./pieces.ts";
import { HEADER_MISMATCH, errorText } from "./refusal.ts";
import { eventText } from "./sse.ts";

export class Exchange {
  readonly #parts: Parts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #session: string | undefined;
  readonly #peer: Peer;
  /** Of the older transport: answers go to the stream that the client opened first. */
  readonly #older: boolean;
  /** Answers of our own that go with those of the server. */
  #own: readonly string[] = [];
  #batch = false;
  /** The answer is a stream of events, of the server's or of ours. */
  #streams = false;

  constructor(parts: Parts, request: IncomingMessage, response: ServerResponse) {
    this.#parts = parts;
    this.#request = request;
    this.#response = response;
    const header = request.headers["mcp-session-id"];
    const session = typeof header === "string" ? header : parts.upstream.targetOf(request.url);
    this.#older = typeof header !== "string" && parts.peers.has(session);
    this.#session = typeof header === "string" || this.#older ? session : undefined;
    this.#peer = this.#session === undefined ? parts.peers.fresh() : parts.peers.of(this.#session);
  }

  async run(): Promise<void> {
    const { method } = this.#request;
    if (method === "GET" || method === "HEAD" || method === "OPTIONS") return this.#pass(undefined);
    const body = await this.#body();
    if (body === undefined) return;
    if (method === "DELETE" && this.#session !== undefined) this.#parts.peers.end(this.#session);
    if (body.length === 0) return this.#pass(body);
    if (codingOf(this.#request) !== undefined || isOtherCharset(this.#request)) return this.#unread(body);
    await this.#decide(body);
  }

  /** The whole body, within bounds; undefined when it was dealt with otherwise. */
  async #body(): Promise<Buffer | undefined> {
    const held = new Pieces();
    for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      held.push(chunk);
      if (held.bytes > LIMITS.message_bytes) break;
    }
    const body = held.take();
    if (body.length <= LIMITS.message_bytes) return body;
    await this.#long(body);
    return undefined;
  }

  /** A body longer than anyone here would hold: passed on as it comes where policy only observes. */
  #long(begin: Buffer): void | Promise<void> {
    const head = begin.subarray(0, LIMITS.junk_line_bytes);
    if (this.#parts.gate.violation(this.#peer, "c2s", "too_long", head) === "pass")
      return this.#pass(begin, this.#request);
    this.#response.once("finish", () => this.#request.destroy());
    this.#refuse(413, errorText(null, -32_600, `The body is longer than ${LIMITS.message_bytes} bytes.`));
  }

  /** A body that nobody here can read: passed on where policy only observes. */
  #unread(body: Buffer): void | Promise<void> {
    const about = {
      content_encoding: codingOf(this.#request),
      content_type: headerOf(this.#request, "content-type"),
    };
    if (this.#parts.gate.violation(this.#peer, "c2s", "encoded", undefined, about) === "pass")
      return this.#pass(body);
    this.#refuse(
      415,
      errorText(null, -32_600, "Refused by policy. The body is encoded, and cannot be looked at."),
    );
  }

  async #decide(body: Buffer): Promise<void> {
    const { gate, upstream } = this.#parts;
    if (!this.#older && !upstream.isEndpoint(this.#request.url) && isForm(this.#request, body))
      return this.#form(body);
    const got = read(body, "c2s");
    this.#batch = got.batch;
    const [first] = got.messages;
    const header = first === undefined || got.batch ? undefined : mismatch(this.#request, first);
    if (header !== undefined) {
      const about = { header, value: this.#request.headers[header.toLowerCase()], method: first!.method };
      if (gate.violation(this.#peer, "c2s", "header_mismatch", body, about) === "block") {
        const why = `Header mismatch: ${header} does not match the body`;
        return this.#refuse(400, errorText(first!.id ?? null, HEADER_MISMATCH, why));
      }
    }
    this.#speak();
    this.#peer.ask = this.#older
      ? (text) => upstream.send(this.#request, text)
      : (text) => askServer(this.#parts, this.#peer, this.#request, text);
    const outcome = await gate.fromClient(this.#peer, body);
    if (this.#response.destroyed) return; // the client gave up meanwhile
    if (outcome.forward === undefined) return this.#answer(outcome);
    if (this.#older) for (const answer of outcome.answers) this.#peer.send?.(answer);
    else this.#own = outcome.answers;
    const forward = typeof outcome.forward === "string" ? Buffer.from(outcome.forward) : outcome.forward;
    return this.#pass(forward);
  }

  /** For an authorization server. What is in it is secret, and no message: that it passed is recorded, and no more. */
  #form(body: Buffer): Promise<void> {
    const [path] = this.#parts.upstream.targetOf(this.#request.url).split("?", 1);
    const about = { path, content_type: headerOf(this.#request, "content-type"), bytes: body.length };
    this.#parts.gate.violation(this.#peer, "c2s", "form", undefined, about, "pass");
    return this.#pass(body);
  }

  /** Nothing goes to the server. */
  #answer({ answers, fault }: Outcome): void {
    if (this.#older) for (const answer of answers) this.#peer.send?.(answer);
    if (answers.length === 0 || this.#older) {
      if (this.#response.headersSent) this.#response.end();
      else this.#response.writeHead(fault === undefined ? 202 : 400).end();
      return;
    }
    const text = this.#batch ? `[${answers.join()}]` : answers[0]!;
    if (this.#response.headersSent) this.#response.end(answers.map(eventText).join(""));
    else this.#refuse(fault === undefined ? 200 : 400, text);
  }

  #refuse(status: number, text: string): void {
    refuse(this.#response, status, text);
  }

  /** A question to the client goes where the answer to this request does. */
  readonly #speak = (): void => {
    if (!this.#older && this.#session !== undefined) this.#peer.send = this.#send;
  };

  readonly #send = (text: string): boolean => {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return false;
    if (!response.headersSent) {
      if (!/text\/event-stream/i.test(this.#request.headers.accept ?? "")) return false;
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      this.#streams = true;
    }
    if (this.#streams) response.write(eventText(text));
    return this.#streams;
  };

  #came(answer: IncomingMessage): void {
    const session = answer.headers["mcp-session-id"];
    if (typeof session === "string" && this.#session === undefined)
      this.#parts.peers.keep(session, this.#peer);
    this.#streams ||= kindOf(answer) === "events";
    void passAnswer(
      {
        parts: this.#parts,
        peer: this.#peer,
        request: this.#request,
        response: this.#response,
        own: this.#own,
        send: this.#send,
        speak: this.#speak,
      },
      answer,
    );
  }

  /** `rest` is what comes after `body`. */
  #pass(body: Buffer | undefined, rest?: IncomingMessage): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const response = this.#response;
    const came = (answer: IncomingMessage): void => {
      answer.on("close", resolve);
      this.#came(answer);
    };
    const out = this.#parts.upstream.request(this.#request, body, came, rest);
    out.on("error", (error) => {
      resolve();
      if (response.destroyed) return; // whoever asked has gone
      this.#parts.warn(`${this.#request.method} ${this.#parts.upstream.name}: ${error.message}`);
      if (response.headersSent) response.destroy();
      else this.#refuse(502, errorText(null, -32_603, "The server cannot be reached."));
    });
    // Whoever asked does not listen any more.
    response.on("close", () => {
      if (!response.writableFinished) out.destroy();
      resolve();
    });
    return promise;
  }
}
