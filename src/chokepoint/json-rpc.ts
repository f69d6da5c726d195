// Reads JSON-RPC messages as the chokepoint must: what two readers could understand differently is a fault, since the
// server behind it may be the other reader. Keeps the text of each message as it came. Decides nothing.
import { isUtf8 } from "node:buffer";
import { foldedKey, repeatsKey } from "../core/duplicates.ts";
import { LIMITS } from "../core/limits.ts";

export type Fields = Record<string, unknown>;

/** Why a message cannot be relied on. */
export type Fault =
  | "not_json"
  | "not_utf8"
  | "not_json_rpc"
  | "repeated_key"
  | "key_case"
  | "line_break"
  | "own_id"
  | "too_deep"
  | "too_long"
  | "too_many";

export interface Message {
  /** As it came, on one line. */
  readonly raw: string;
  readonly fields: Fields;
  readonly method: string | undefined;
  /** Undefined for notifications. */
  readonly id: string | number | undefined;
}

export interface Read {
  readonly messages: readonly Message[];
  readonly batch: boolean;
  /** What is wrong, for whoever may refuse it. Messages are there all the same where the text is JSON. */
  readonly fault: Fault | undefined;
}

/** How the ids of the proxy's own requests begin. */
const OWN_ID = "tapline-";
const BATCH_MAX = 1_000;
const NOTHING: readonly Message[] = [];
const BREAKS = /[\r\n]+/g;

export function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Reads one line or body. In requests, also looks for what two readers may understand differently. */
export function read(bytes: Buffer, dir: "c2s" | "s2c"): Read {
  if (!isUtf8(bytes)) return { messages: NOTHING, batch: false, fault: "not_utf8" };
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { messages: NOTHING, batch: false, fault: "not_json" };
  }
  const batch = Array.isArray(value);
  const raws = batch ? elements(text) : [text];
  const values = batch ? (value as unknown[]) : [value];
  if (batch && values.length > BATCH_MAX) return { messages: NOTHING, batch, fault: "too_many" };
  const messages: Message[] = [];
  let strict = dir === "c2s";
  let fault: Fault | undefined = values.length === 0 ? "not_json_rpc" : undefined;
  for (let i = 0; i < values.length; i++) {
    const message = messageOf(values[i], raws[i]!);
    if (message === undefined) fault = "not_json_rpc";
    else {
      messages.push(message);
      strict ||= message.method !== undefined;
      fault ??= faultOf(message, dir);
    }
  }
  if (depthOver(text, LIMITS.depth - 2)) fault ??= "too_deep";
  if (strict && fault === undefined && repeatsKey(bytes, 0, bytes.length)) fault = "repeated_key";
  return { messages, batch, fault };
}

function messageOf(value: unknown, text: string): Message | undefined {
  const fields = asFields(value);
  if (fields === undefined) return undefined;
  const raw = text.trim().replaceAll(BREAKS, " ");
  const { id, method } = fields;
  const known = typeof id === "string" || (typeof id === "number" && Number.isSafeInteger(id));
  const answers = fields["result"] !== undefined || fields["error"] !== undefined;
  const nulled = id === null && method === undefined; // an answer to what could not be read
  if (!known && id !== undefined && !nulled) return undefined;
  if ((typeof method === "string") === answers) return undefined;
  return { raw, fields, method: textOf(method), id: known ? id : undefined };
}

const ENVELOPE = new Set(["jsonrpc", "id", "method", "params", "result", "error"]);
const PARAMS = new Set([
  "name",
  "arguments",
  "uri",
  "_meta",
  "task",
  "inputresponses",
  "requeststate",
  "messages",
]);
const PARAMS_AS_WRITTEN = new Set([...PARAMS, "inputResponses", "requestState"]);

function faultOf({ fields, method, id }: Message, dir: "c2s" | "s2c"): Fault | undefined {
  // The answer to it would be taken for one to the proxy.
  if (dir === "s2c" && method !== undefined && typeof id === "string" && id.startsWith(OWN_ID))
    return "own_id";
  for (const key in fields) if (!ENVELOPE.has(key) && ENVELOPE.has(foldedKey(key))) return "key_case";
  const params = asFields(fields["params"]);
  if (params === undefined) return undefined;
  for (const key in params) if (!PARAMS_AS_WRITTEN.has(key) && PARAMS.has(foldedKey(key))) return "key_case";
  return caseRepeats(asFields(params["arguments"])) ? "key_case" : undefined;
}

/** Whether two keys differ in case alone. */
function caseRepeats(args: Fields | undefined): boolean {
  if (args === undefined) return false;
  const seen = new Set<string>();
  for (const key in args) {
    const as = foldedKey(key);
    if (seen.has(as)) return true;
    seen.add(as);
  }
  return false;
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Index after a string that begins at `at`, in valid JSON. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
}

function isOpen(c: number): boolean {
  return c === 123 || c === 91;
}

function isClose(c: number): boolean {
  return c === 125 || c === 93;
}

/** Texts of the elements of an array, in valid JSON. */
function elements(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = stringEnd(text, i) - 1;
    else if (isOpen(c) && depth++ === 0) from = i + 1;
    else if (isClose(c) && --depth === 0) found.push(text.slice(from, i));
    else if (c === 44 && depth === 1) {
      found.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return found;
}

function depthOver(text: string, max: number): boolean {
  // Cheap for most: so many brackets take at least so many characters.
  if (text.length <= 2 * max) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = stringEnd(text, i) - 1;
    else if (isOpen(c)) {
      if (++depth > max) return true;
    } else if (isClose(c)) depth--;
  }
  return false;
}
