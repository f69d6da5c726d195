// What a text says when it is decoded: percent signs, base64 in both alphabets, hex. Gives what reads as text only.

export type Encoding = "none" | "percent" | "base64" | "hex";

const PERCENT = /%[0-9a-f]{2}/i;
const BASE64 = /[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|[\r\n]+(?=[A-Za-z0-9+/_-])){22,}[A-Za-z0-9+/_-]/g;
const HEX = /[0-9a-f]{32,}/gi;
const CHARS_MAX = 65_536;
const RUNS_MAX = 32;
const DEPTH = 2;

/** Calls `visit` with every decoding of the text that reads as text. */
export function decodings(
  text: string,
  visit: (decoded: string, encoding: Encoding) => void,
  depth = 0,
): void {
  if (text.length < 24 || text.length > CHARS_MAX) return;
  const found = (decoded: string, encoding: Encoding): void => {
    visit(decoded, encoding);
    if (depth < DEPTH) decodings(decoded, (inner) => visit(inner, encoding), depth + 1);
  };
  if (PERCENT.test(text)) {
    const decoded = unpercent(text);
    if (decoded !== text) found(decoded, "percent");
  }
  if (!hasRun(text)) return;
  let runs = 0;
  for (const [run] of text.matchAll(HEX)) {
    if (runs++ === RUNS_MAX) break;
    // A part of a row may begin in the middle of a byte.
    for (let skip = 0; skip < 2; skip++) {
      const decoded = readable(Buffer.from(run.slice(skip, skip + ((run.length - skip) & ~1)), "hex"));
      if (decoded === undefined) continue;
      found(decoded, "hex");
      break;
    }
  }
  for (const [run] of text.matchAll(BASE64)) {
    if (runs++ === RUNS_MAX) break;
    if (!/[A-Z]/.test(run) || !/[a-z]/.test(run)) continue;
    const digits = run.replaceAll(/\s/g, "");
    for (let skip = 0; skip < 4; skip++) {
      const decoded = readable(Buffer.from(digits.slice(skip), "base64"));
      if (decoded === undefined) continue;
      found(decoded, "base64");
      break;
    }
  }
}

const RUN_MIN = 24;
const ALPHABET = new Uint8Array(128);
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
  ALPHABET[c.charCodeAt(0)] = 1;

/** Whether the text has a run of RUN_MIN encoded characters: looks at every 24th one in prose. */
function hasRun(text: string): boolean {
  for (let from = 0; from + RUN_MIN <= text.length;) {
    let at = from + RUN_MIN - 1;
    for (; at >= from; at--) {
      const c = text.charCodeAt(at);
      if (c > 127 || ALPHABET[c] === 0) break;
    }
    if (at < from) return true;
    from = at + 1;
  }
  return false;
}

const SAMPLE = 512;

/** The bytes as text, when most of them are; undefined for others. */
function readable(bytes: Buffer): string | undefined {
  if (bytes.length < 12) return undefined;
  const end = Math.min(bytes.length, SAMPLE);
  let odd = 0;
  for (let i = 0; i < end; i++) {
    const c = bytes[i]!;
    if (c < 9 || (c > 13 && c < 32) || c === 127) odd += 3;
    else if (c >= 128) odd++;
  }
  if (odd * 4 < end) return bytes.toString("utf8");
  // Text of other scripts is mostly such bytes, and in order.
  const text = bytes.subarray(0, end).toString("utf8");
  return odd <= end && (text.match(/\ufffd/g)?.length ?? 0) < 4 ? bytes.toString("utf8") : undefined;
}

function unpercent(text: string): string {
  const bytes = Buffer.alloc(Math.min(text.length * 3, CHARS_MAX * 3));
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const value = c === 37 ? parseInt(text.slice(i + 1, i + 3), 16) : -1;
    if (value >= 0) {
      bytes[n++] = value;
      i += 2;
    } else if (c < 128) bytes[n++] = c;
    else n += bytes.write(text[i]!, n);
  }
  return bytes.toString("utf8", 0, n);
}
