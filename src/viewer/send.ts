// Writes answers: every one with the same headers, none of which holds a text of a record. Streams wait for their reader,
// and are given up when nobody reads.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Problem } from "./api.ts";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Headers of every answer. */
export const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cache-Control": "no-store",
};
const JSON_TYPE = "application/json; charset=utf-8";

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, JSON_TYPE, JSON.stringify(body));
}

export function sendProblem(response: ServerResponse, status: number, problem: Problem): void {
  // What is left of a request that was refused is not read.
  if (status === 413 || status === 414 || status === 429) response.setHeader("Connection", "close");
  sendJson(response, status, problem);
}

export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, { ...HEADERS, "Content-Type": type, "Content-Length": bytes.length });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

/** An answer in pieces. */
export class Stream {
  readonly #response: ServerResponse;
  readonly #begin: () => void;
  #begun = false;
  #waiting: Promise<void> | undefined;

  constructor(response: ServerResponse, type: string, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response;
    this.#begin = () => {
      this.#begun = true;
      response.writeHead(200, { ...HEADERS, "Content-Type": type, ...headers });
    };
  }

  /** Nothing was sent yet, so that a problem can be told by the status. */
  get untouched(): boolean {
    return !this.#begun;
  }

  text(text: string): void {
    if (!this.#begun) this.#begin();
    if (this.#response.destroyed || this.#response.write(text) || this.#waiting !== undefined) return;
    this.#waiting = this.#drained();
  }

  line(value: unknown): void {
    this.text(`${JSON.stringify(value)}\n`);
  }

  /** Resolves when the reader has taken enough to go on. */
  async room(): Promise<void> {
    await this.#waiting;
  }

  async end(): Promise<void> {
    await this.room();
    if (!this.#begun) this.#begin();
    this.#response.end();
  }

  async #drained(): Promise<void> {
    const timer = setTimeout(() => this.#response.destroy(), LIMITS.viewer_stall_ms);
    await Promise.race([once(this.#response, "drain"), once(this.#response, "close")]);
    clearTimeout(timer);
    this.#waiting = undefined;
  }
}

const STATUS: Readonly<Record<string, number>> = {
  BAD_QUESTION: 400,
  NOT_FOUND: 404,
  FORBIDDEN: 403,
  TOO_LONG: 413,
  TOO_MANY: 429,
  SPOOL_FULL: 507,
};

/** Status and text of what went wrong. What is not expected says nothing of itself. */
export function problemOf(error: unknown): { status: number; problem: Problem } {
  if (!(error instanceof TaplineError))
    return {
      status: 500,
      problem: { code: "VIEWER_BUG", message: "the viewer failed; its collector's log says why" },
    };
  const { code, message, remedy } = error;
  const status = STATUS[code] ?? (error.retry ? 503 : 500);
  return { status, problem: remedy === undefined ? { code, message } : { code, message, remedy } };
}

export const notFound = (what: string): TaplineError =>
  new TaplineError("NOT_FOUND", `there is no such ${what}`);
