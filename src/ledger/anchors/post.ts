// One request to somebody outside, bounded in time and in what comes back.
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Throws ANCHOR_FAILED when there is no answer, or one that is too long. */
export async function ask(request: Request, signal: AbortSignal): Promise<Answered> {
  try {
    const answer = await fetch(request, {
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(LIMITS.anchor_ms)]),
    });
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of answer.body ?? []) {
      bytes += part.length;
      if (bytes > LIMITS.anchor_answer_bytes) throw new Error("the answer is too long");
      parts.push(part);
    }
    return { status: answer.status, headers: answer.headers, body: Buffer.concat(parts) };
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new TaplineError("ANCHOR_FAILED", `${request.url}: ${reasonOf(reason)}`, { retry: true, cause });
  }
}

/** Throws ANCHOR_FAILED when there is no answer, or one that is too long. */
export function post(url: string, body: Buffer, type: string, signal: AbortSignal): Promise<Answered> {
  const init = { method: "POST", body: new Uint8Array(body), headers: { "content-type": type } };
  return ask(new Request(url, init), signal);
}
