// Reads JSON-RPC messages as the chokepoint must: what two readers could understand differently is a fault, since the
// server behind it may be the other reader. Keeps the text of each message as it came. Decides nothing.
import { isUtf8 } from "node:buffer";
import { DEFINITION_PARTS } from "../core/definition.ts";
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

/** Line ends of all readers of lines that are known. */
// oxlint-disable-next-line no-control-regex
const LINE_ENDS = /[\r\n\u000b\u000c\u001c-\u001e\u0085\u2028\u2029]/;

/** Whether bytes that are no JSON are no message for any reader: none of their lines begins like one, which some read with
 * a byte order mark before it or with NaN in it. */
export function isJunk(bytes: Buffer): boolean {
  const lines = bytes.toString("utf8").split(LINE_ENDS);
  return !lines.some((line) => /^[{[]/.test(line.trimStart()));
}

/** Reads one line or body. In requests, and in answers that matter to policy, also looks for what two readers may
 * understand differently. */
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
  let strict = dir === "c2s" || mentions(text);
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
  // Goes before all others: nobody may look into such a message.
  if (depthOver(text, LIMITS.depth - 2)) fault = "too_deep";
  if (strict && fault === undefined && repeatsKey(bytes, 0, bytes.length)) fault = "repeated_key";
  return { messages, batch, fault };
}

/** Whether an answer may list tools or ask something of the client, for any reader: letters may be escaped. */
function mentions(text: string): boolean {
  return /"(?:tools|inputrequests)"|\\u(?:00[4-7]|017f|212a)/iu.test(text);
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

const ENVELOPE = keys(["jsonrpc", "id", "method", "params", "result", "error"]);
const PARAMS = keys(
  "name arguments uri _meta task inputResponses requestState inputRequests messages".split(" "),
);
const RESULT = keys(["tools", "nextCursor", "inputRequests"]);
const TOOL = keys(DEFINITION_PARTS);
const REQUEST = keys(["method", "params"]);

/** Keys as written, by what they are for readers that do not mind case. */
function keys(written: readonly string[]): ReadonlyMap<string, string> {
  return new Map(written.map((key) => [foldedKey(key), key]));
}

/** Whether a key is one of these but for its case. */
function differs(fields: Fields | undefined, known: ReadonlyMap<string, string>): boolean {
  for (const key in fields) {
    const written = known.get(foldedKey(key));
    if (written !== undefined && written !== key) return true;
  }
  return false;
}

function faultOf({ fields, method, id }: Message, dir: "c2s" | "s2c"): Fault | undefined {
  // The answer to it would be taken for one to the proxy.
  if (dir === "s2c" && method !== undefined && typeof id === "string" && id.startsWith(OWN_ID))
    return "own_id";
  const params = asFields(fields["params"]);
  const result = asFields(fields["result"]);
  if (differs(fields, ENVELOPE) || differs(params, PARAMS) || differs(result, RESULT)) return "key_case";
  if (partsOf(result?.["tools"]).some((tool) => differs(tool, TOOL))) return "key_case";
  for (const asks of [params?.["inputRequests"], result?.["inputRequests"]])
    if (partsOf(asks).some((one) => differs(one, REQUEST))) return "key_case";
  return caseRepeats(asFields(params?.["arguments"])) ? "key_case" : undefined;
}

/** Objects in a list or an object. */
export function partsOf(value: unknown): Fields[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).filter((one): one is Fields => asFields(one) !== undefined);
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
