// One request that is let in: who, what, and when to give up.
import type { IncomingMessage, ServerResponse } from "node:http";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Role } from "./guard.ts";
import type { Asked } from "./parameters.ts";

export interface User {
  readonly name: string;
  readonly id: string;
}

export interface Request {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly user: User;
  readonly role: Role;
  /** What stands in the path in place of WHICH and ID. */
  readonly id: string;
  readonly asked: Asked;
  /** Aborts when nobody waits any more, or it takes too long. */
  readonly signal: AbortSignal;
}

const tooLong = (): TaplineError =>
  new TaplineError("TOO_LONG", `a body has at most ${LIMITS.viewer_body_bytes} bytes`);

/** The body as JSON. Throws TOO_LONG and BAD_QUESTION. */
export async function readBody(message: IncomingMessage): Promise<unknown> {
  if (!/^application\/json(?:;\s*charset=utf-8)?$/i.test(message.headers["content-type"] ?? ""))
    throw new TaplineError("BAD_QUESTION", "the body is application/json");
  if (Number(message.headers["content-length"] ?? 0) > LIMITS.viewer_body_bytes) throw tooLong();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LIMITS.viewer_body_bytes) throw tooLong();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch {
    throw new TaplineError("BAD_QUESTION", "the body is not JSON");
  }
}
