// One POST of JSON to a receiver, with what can be known of its outcome. Follows no redirect, reads no more of an answer
// than is kept, and leaves secrets out of every text that it gives back.
import { type ClientRequest, type IncomingMessage, request as overHttp } from "node:http";
import { type RequestOptions, request as overHttps } from "node:https";
import { isIP, connect as overTcp } from "node:net";
import { connect as overTls } from "node:tls";
import { TaplineError, reasonOf, systemCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { plain } from "../core/said.ts";
import type { Outcome } from "./notifier.ts";

export interface Target {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
  readonly timeout_s: number;
  /** Never told to anybody. */
  readonly secrets: readonly string[];
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const AGAIN = new Set([408, 425, 429]);
/** Nothing was handed over when one of these comes. */
const NOT_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;

/** A URL that a secret may be sent to. Throws SINK_SECRET, without the URL. */
export function targetUrl(text: string, where: string): URL {
  const url = URL.parse(text.trim());
  const remedy = "an https URL; http is for receivers on this machine";
  if (url === null) throw new TaplineError("SINK_SECRET", `${where} does not hold a URL`, { remedy });
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.test(url.hostname)))
    throw new TaplineError("SINK_SECRET", `${where} holds a URL that is not https`, { remedy });
  if (url.username !== "" || url.password !== "")
    throw new TaplineError("SINK_SECRET", `${where} holds a URL with user or password`, {
      remedy: "use a token",
    });
  return url;
}

/** The text without secrets, on one line. */
export function hidden(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret.length > 1) shown = shown.replaceAll(secret, "***");
  return plain(shown).trim();
}

export async function postJson(target: Target, body: string, signal: AbortSignal): Promise<Outcome> {
  const deadline = AbortSignal.timeout(target.timeout_s * 1000);
  const headers = {
    ...target.headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    "user-agent": "tapline",
  };
  const options = { method: "POST", headers, signal: AbortSignal.any([signal, deadline]), ca: target.ca };
  try {
    const { status, text } = await exchange(target.url, options, (request) => request.end(body));
    const answer = hidden(`${status} ${text}`, target.secrets);
    if (status >= 200 && status < 300) return { sent: true, answer, status, retry: false, uncertain: false };
    const redirect = status >= 300 && status < 400;
    return {
      sent: false,
      answer: redirect ? `${status}: it sends elsewhere, which is not followed` : answer,
      status,
      retry: status >= 500 || AGAIN.has(status),
      uncertain: status >= 500,
    };
  } catch (error) {
    const reason = deadline.aborted ? `no answer in ${target.timeout_s} s` : reasonOf(error);
    const uncertain = deadline.aborted || !NOT_SENT.test(systemCode(error) ?? "");
    return { sent: false, answer: hidden(reason, target.secrets), status: 0, retry: true, uncertain };
  }
}

/** Whether the receiver takes connections, with a certificate that holds; asks it nothing. Throws SINK_UNREACHABLE. */
export async function reach(target: Target, signal: AbortSignal): Promise<void> {
  try {
    await connected(target, signal);
  } catch (error) {
    const what = hidden(`${target.url.host} cannot be reached: ${reasonOf(error)}`, target.secrets);
    const remedy = "check the URL, the receiver and ca_file";
    throw new TaplineError("SINK_UNREACHABLE", what, { retry: true, remedy });
  }
}

async function connected({ url, ca }: Target, signal: AbortSignal): Promise<void> {
  const over_tls = url.protocol === "https:";
  const port = Number(url.port || (over_tls ? 443 : 80));
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = over_tls ? overTls({ host, port, ca, ...name }, resolve) : overTcp({ host, port }, resolve);
  socket.once("error", reject);
  const stop = (): void => reject(new Error("no answer in time"));
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) stop();
    await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function exchange(
  url: URL,
  options: RequestOptions,
  send: (request: ClientRequest) => void,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const take = (response: IncomingMessage): void => {
    const status = response.statusCode ?? 0;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (): void => {
      const text = Buffer.concat(chunks).subarray(0, LIMITS.notify_answer_bytes).toString("utf8");
      resolve({ status, text });
      request.destroy();
    };
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= LIMITS.notify_answer_bytes) done();
    });
    // The status is the answer; how the rest of it ended changes nothing.
    response.once("end", done).once("error", done).once("close", done);
  };
  const request = url.protocol === "https:" ? overHttps(url, options, take) : overHttp(url, options, take);
  request.once("error", reject);
  send(request);
  return promise;
}
