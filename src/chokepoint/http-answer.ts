// What a server answers over HTTP, JSON or events, through the gate: it passes as it came unless something in it had to be
// left out, and at once. Reads no faster than the client does.
import type { IncomingMessage, ServerResponse } from "node:http";
import { LIMITS } from "../core/limits.ts";
import type { Gate, Outcome } from "./gate.ts";
import { passed } from "./http-headers.ts";
import { NEWLINE, inLines, isMessage, joined } from "./http-lines.ts";
import type { HttpPeers } from "./http-peers.ts";
import type { Peer } from "./peer.ts";
import { errorText } from "./refusal.ts";
import { type SseEvent, SseCutter, eventText, withData } from "./sse.ts";
import type { Upstream } from "./upstream.ts";

export const JSON_TYPE: RegExp = /^application\/json\b/i;
export const EVENTS_TYPE: RegExp = /^text\/event-stream\b/i;
const LENGTH = new Set(["content-length"]);
const NONE: ReadonlySet<string> = new Set();

export interface Parts {
  readonly gate: Gate;
  readonly peers: HttpPeers;
  readonly upstream: Upstream;
  readonly warn: (message: string) => void;
}

/** Answers instead of the server. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  const headers = { "content-type": "application/json", "content-length": body.length };
  response.writeHead(status, headers).end(body);
}

export class HttpAnswer {
  readonly #parts: Parts;
  readonly #peer: Peer;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** Answers of our own that go with those of the server. */
  readonly #own: readonly string[];
  /** Events whose decision is awaited: the stream ends after them. */
  #waiting = 0;
  #ended = false;

  constructor(
    parts: Parts,
    peer: Peer,
    request: IncomingMessage,
    response: ServerResponse,
    own: readonly string[],
  ) {
    this.#parts = parts;
    this.#peer = peer;
    this.#request = request;
    this.#response = response;
    this.#own = own;
  }

  /** Passes the answer on. */
  take(answer: IncomingMessage): void {
    const type = answer.headers["content-type"] ?? "";
    const status = answer.statusCode ?? 502;
    if (EVENTS_TYPE.test(type)) this.#events(answer, status);
    else if (JSON_TYPE.test(type)) void this.#json(answer, status);
    else {
      this.#head(status, answer, NONE);
      this.#flow(answer, (chunk) => this.#response.write(chunk));
    }
  }

  #head(status: number, answer: IncomingMessage, without: ReadonlySet<string>): void {
    if (!this.#response.headersSent)
      this.#response.writeHead(status, answer.statusMessage, passed(answer.rawHeaders, without));
  }

  /** Reads an answer at the speed at which the client reads ours. */
  #flow(answer: IncomingMessage, each: (chunk: Buffer) => void, end?: () => void): void {
    const response = this.#response;
    response.on("drain", () => answer.resume());
    answer.on("data", (chunk: Buffer) => {
      each(chunk);
      if (response.writableNeedDrain) answer.pause();
    });
    answer.on("end", () => {
      end?.();
      this.#ended = true;
      this.#end();
    });
    answer.on("error", () => response.destroy());
    answer.on("aborted", () => response.destroy());
  }

  #end(): void {
    if (this.#ended && this.#waiting === 0) this.#response.end();
  }

  async #json(answer: IncomingMessage, status: number): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Some servers say JSON and write a message a line, for as long as the connection lasts.
    let may_be_lines =
      answer.headers["content-length"] === undefined && this.#own.length === 0 && !this.#response.headersSent;
    let lines: Buffer | undefined;
    try {
      for await (const chunk of answer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > LIMITS.message_bytes) break;
        if (!may_be_lines || !chunk.includes(NEWLINE)) continue;
        may_be_lines = false;
        const all = Buffer.concat(chunks);
        if (isMessage(all.subarray(0, all.indexOf(NEWLINE)))) {
          lines = all;
          break;
        }
      }
      if (lines !== undefined) return await this.#lines(answer, status, lines);
    } catch {
      this.#response.destroy(); // cut short: whatever came of it is not an answer
      return;
    }
    if (bytes > LIMITS.message_bytes) return this.#longAnswer(answer, status, chunks);
    const body = Buffer.concat(chunks);
    // What an authorization server says is no message, and neither are its errors.
    const { forward, answers }: Outcome =
      status >= 400 && !body.includes('"jsonrpc"')
        ? { forward: body, answers: [] }
        : await this.#parts.gate.fromServer(this.#peer, body);
    this.#back(answers);
    const text = forward === undefined ? undefined : forward.toString();
    if (this.#response.headersSent) {
      const events = [...this.#own, ...(text === undefined ? [] : [text])];
      this.#response.end(events.map(eventText).join(""));
    } else if (forward === body && this.#own.length === 0) {
      this.#head(status, answer, NONE);
      this.#response.end(body);
    } else {
      this.#head(status, answer, LENGTH);
      this.#response.end(this.#own.length === 0 ? (text ?? "") : joined(text, this.#own));
    }
  }

  /** One message after the other, each at once. */
  async #lines(answer: IncomingMessage, status: number, first: Buffer): Promise<void> {
    const response = this.#response;
    this.#head(status, answer, NONE);
    for await (const { line, long } of inLines(first, answer)) {
      if (long) {
        if (this.#tooLong(line) === "block") throw new Error("too long");
        response.write(line);
        continue;
      }
      const { forward, answers } = await this.#parts.gate.fromServer(this.#peer, line);
      if (forward === line) response.write(line);
      else if (forward !== undefined) response.write(`${forward.toString()}\n`);
      this.#back(answers);
      if (response.writableNeedDrain)
        await new Promise<void>((done) => response.once("drain", done).once("close", done));
    }
    response.end();
  }

  #tooLong(bytes: Buffer, action?: "block"): "pass" | "block" {
    const head = bytes.subarray(0, LIMITS.junk_line_bytes);
    return this.#parts.gate.violation(this.#peer, "s2c", "too_long", head, undefined, action);
  }

  /** Longer than anyone here would hold: passed on as it comes where policy only observes. */
  #longAnswer(answer: IncomingMessage, status: number, held: readonly Buffer[]): void {
    const response = this.#response;
    const joins = this.#own.length > 0 || response.headersSent;
    if (this.#tooLong(held[0]!, joins ? "block" : undefined) === "pass") {
      this.#head(status, answer, NONE);
      for (const chunk of held) response.write(chunk);
      this.#flow(answer, (chunk) => response.write(chunk));
      answer.resume();
      return;
    }
    answer.destroy();
    if (response.headersSent) response.destroy();
    else
      refuse(
        response,
        502,
        errorText(null, -32_603, `The answer is longer than ${LIMITS.message_bytes} bytes.`),
      );
  }

  #events(answer: IncomingMessage, status: number): void {
    this.#head(status, answer, LENGTH);
    this.#response.flushHeaders();
    for (const own of this.#own) this.#response.write(eventText(own));
    const cutter = new SseCutter(
      (event) => this.#event(event),
      (bytes) => {
        if (this.#tooLong(bytes) === "pass") this.#response.write(bytes);
        else {
          answer.destroy();
          this.#response.destroy();
        }
      },
    );
    this.#flow(
      answer,
      (chunk) => cutter.push(chunk),
      () => this.#response.write(cutter.rest()),
    );
  }

  #event(event: SseEvent): void {
    const { data, name, raw } = event;
    if (data === undefined) this.#response.write(raw);
    else if (name === "endpoint") this.#endpoint(event, data);
    else {
      const bytes = Buffer.from(data);
      const outcome = this.#parts.gate.fromServer(this.#peer, bytes);
      const pass = ({ forward, answers }: Outcome): void => {
        if (forward === bytes) this.#response.write(raw);
        else if (forward !== undefined) this.#response.write(withData(event, forward.toString()));
        this.#back(answers);
      };
      if (!(outcome instanceof Promise)) return pass(outcome);
      this.#waiting++;
      void outcome.then(pass).finally(() => {
        this.#waiting--;
        this.#end();
      });
    }
  }

  /** The older transport: where the client is to send its messages must lie behind this proxy. */
  #endpoint(event: SseEvent, data: string): void {
    const { upstream, gate, peers } = this.#parts;
    const path = upstream.pathOf(data, this.#request.url);
    if (path === undefined) {
      gate.violation(this.#peer, "s2c", "foreign_endpoint", event.raw, undefined, "block");
      return;
    }
    peers.keep(path, this.#peer);
    // Whatever is answered to the client's messages comes on this stream.
    this.#peer.send = (text) => {
      if (!this.#response.writable) return false;
      this.#response.write(eventText(text));
      return true;
    };
    this.#response.write(data === path ? event.raw : withData(event, path));
  }

  /** Answers to what the server asked and policy refused. */
  #back(answers: readonly string[]): void {
    for (const answer of answers) this.#parts.upstream.send(this.#request, answer);
  }
}
