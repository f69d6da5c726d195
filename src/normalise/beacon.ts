// Addresses that carry data: how much a URL says besides where it leads, and the images and links of a text that make
// whoever shows it call such a URL. Fetches nothing.
import { LIMITS } from "../core/limits.ts";
import { hostOf } from "./url.ts";

/** An address inside a text that carries data when it is shown or followed. */
export interface Beacon {
  /** image and html are fetched when the text is shown, link when it is followed. */
  readonly kind: "image" | "html" | "link";
  readonly url: string;
  readonly host: string;
  /** Characters of data in the address. */
  readonly chars: number;
}

const URL_CHARS_MAX = 4_096;
const LINKS_MAX = 256;
const NAME_CHARS_MAX = 256;
const REFERENCES_MAX = 32;
const SEGMENT_CHARS = 32;
const LABEL_CHARS = 20;
// Signatures of signed addresses of object stores are long and say nothing.
const SIGNED = /^(?:x-amz-|x-goog-|signature$|sig$|key-pair-id$|policy$|awsaccesskeyid$|googleaccessid$)/i;
const STORE =
  /(?:^|\.)(?:amazonaws\.com|googleapis\.com|core\.windows\.net|cloudfront\.net|r2\.cloudflarestorage\.com)$/;
const NAMES = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** Characters that an address says besides where it leads: values of its query and fragment, and parts of its path
 * and host that look encoded. */
export function dataChars(url: string, host: string): number {
  const text = url.length > URL_CHARS_MAX ? url.slice(0, URL_CHARS_MAX) : url;
  let path = text.indexOf("/", 8);
  if (path === -1) path = text.length;
  const mark = text.search(/[?#]/);
  const end = mark === -1 ? text.length : mark;
  let sum = labelChars(host) >= SEGMENT_CHARS ? host.length : 0;
  for (let at = path + 1; at < end;) {
    let next = text.indexOf("/", at);
    if (next === -1 || next > end) next = end;
    if (next - at >= SEGMENT_CHARS && isEncoded(text.slice(at, next))) sum += next - at;
    at = next + 1;
  }
  return mark === -1 ? sum : sum + valueChars(text, mark + 1, STORE.test(host));
}

function valueChars(text: string, start: number, store: boolean): number {
  let sum = 0;
  for (let at = start; at < text.length;) {
    let next = at;
    while (next < text.length && text[next] !== "&" && text[next] !== "#" && text[next] !== ";") next++;
    const equals = text.indexOf("=", at);
    if (equals === -1 || equals >= next) sum += next - at >= SEGMENT_CHARS ? next - at : 0;
    else if (!(store && SIGNED.test(text.slice(at, equals)))) sum += next - equals - 1;
    at = next + 1;
  }
  return sum;
}

/** Whether a part of a path is data rather than a name: mixed characters without words; digests and ids are names. */
function isEncoded(part: string): boolean {
  if (NAMES.test(part)) return false;
  if (/%[0-9a-f]{2}(?:[^%]?%[0-9a-f]{2}){7}/i.test(part)) return true;
  const words = part.match(/[a-z]{3,}|[A-Z][a-z]{2,}/g)?.join("").length ?? 0;
  return (
    /\d/.test(part) &&
    /^[\w+=.~%-]+$/.test(part) &&
    words * 2 < part.length &&
    !/[-_.].{0,12}[-_.]/.test(part)
  );
}

/** Length of the longest label of a host that looks encoded; 0 when none does. */
export function labelChars(host: string): number {
  let longest = 0;
  for (let at = 0; at < host.length;) {
    let next = host.indexOf(".", at);
    if (next === -1) next = host.length;
    const length = next - at;
    if (length >= LABEL_CHARS && length > longest && /^(?=.*\d)[0-9a-z_-]+$/.test(host.slice(at, next)))
      longest = length;
    at = next + 1;
  }
  return longest;
}

/** The address that carries most in a text, by kind: what is fetched without a click goes before links. */
export function beaconIn(text: string, best: Beacon | undefined): Beacon | undefined {
  const from = text.length > LIMITS.text_chars ? text.slice(0, LIMITS.text_chars) : text;
  let links = 0;
  for (let at = from.indexOf("]("); at !== -1 && links < LINKS_MAX; at = from.indexOf("](", at + 2)) {
    if (!from.startsWith("http", startOf(from, at + 2))) continue;
    links++;
    const url = urlAt(from, at + 2);
    best = better(best, from[openAt(from, at) - 1] === "!" ? "image" : "link", url);
  }
  // ![alt][name] with "[name]: https://…" elsewhere.
  let references = 0;
  for (let at = from.indexOf("]: http"); at !== -1; at = from.indexOf("]: http", at + 3)) {
    if (++references > REFERENCES_MAX) break;
    const name = from.slice(openAt(from, at) + 1, at);
    const image = from.includes("![") && from.includes(`][${name}]`);
    best = better(best, image ? "image" : "link", urlAt(from, at + 3));
  }
  if (from.includes("<")) {
    for (const m of from.matchAll(
      /<(?:img|iframe|link|script|video|audio|embed|source)\b[^<>]{0,200}?(?:src|href)\s*=\s*["']?(?=https?:)/gi,
    )) {
      if (links++ > 2 * LINKS_MAX) break;
      best = better(best, "html", urlAt(from, m.index + m[0].length));
    }
  }
  return best;
}

/** Place of the bracket that opens the name that ends at `at`; `at` when none is near. */
function openAt(text: string, at: number): number {
  for (let i = at - 1; i >= 0 && at - i <= NAME_CHARS_MAX; i--) if (text[i] === "[") return i;
  return at;
}

/** Place of an address behind spaces and an opening bracket. */
function startOf(text: string, start: number): number {
  let at = start;
  while (at - start < 8 && (text[at] === " " || text[at] === "<")) at++;
  return at;
}

function urlAt(text: string, start: number): string {
  const at = startOf(text, start);
  let end = at;
  while (end < text.length && end - at < URL_CHARS_MAX && !" \n\t)<>\"'".includes(text[end]!)) end++;
  return text.slice(at, end);
}

function better(best: Beacon | undefined, kind: Beacon["kind"], url: string): Beacon | undefined {
  const host = hostOf(url);
  if (host === undefined) return best;
  const chars = dataChars(url, host);
  if (chars === 0) return best;
  if (best !== undefined) {
    const shown = Number(kind !== "link") - Number(best.kind !== "link");
    if (shown < 0 || (shown === 0 && chars <= best.chars)) return best;
  }
  return { kind, url, host, chars };
}
