// Addresses in running text: of mail, of the web, of accounts. Tells what a run of characters is and gives its hash.
import { WORD_PRIME, WORD_SEED } from "./flow-lexicon.ts";

/** Kinds of addresses. */
export const MAIL = 1;
export const LINK = 2;
export const ACCOUNT = 3;
/** Least length of an account number, and digits in it. */
export const ACCOUNT_CHARS = 10;
export const ACCOUNT_DIGITS = 6;
const ADDRESS_CHARS_MAX = 512;

export const isDigit = (c: number): boolean => c > 47 && c < 58;
export const isUpper = (c: number): boolean => c > 64 && c < 91;
export const isLetter = (c: number): boolean => (c | 32) > 96 && (c | 32) < 123;
const isTrailing = (c: number): boolean =>
  c === 46 || c === 58 || c === 33 || c === 63 || c === 47 || c === 42;
const isHostEnd = (c: number): boolean => c === 47 || c === 58 || c === 63 || c === 35;
const ADDRESS_SALT = 0x5bd1e995;

/** The address that the run [from, to) is; `kind` 0 for none. */
export const address = { kind: 0, hash: 0 };

/** Puts the address that [from, to) of the text is into `address`; false when it is none. A link counts by its host. */
export function readAddress(text: string, from: number, to: number): boolean {
  let end = to;
  while (end > from && isTrailing(text.charCodeAt(end - 1))) end--;
  address.kind = kindOf(text, from, end);
  if (address.kind === 0) return false;
  let start = from;
  if (address.kind === LINK) {
    const scheme = text.indexOf("://", from);
    if (scheme !== -1 && scheme < end) start = scheme + 3;
    if (text.startsWith("www.", start)) start += 4;
    let host = start;
    while (host < end && !isHostEnd(text.charCodeAt(host))) host++;
    end = host;
  }
  address.hash = hashOf(text, start, end);
  return true;
}

function hashOf(text: string, from: number, to: number): number {
  let h = WORD_SEED ^ ADDRESS_SALT;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    h = Math.imul(h ^ (isUpper(c) ? c | 32 : c), WORD_PRIME);
  }
  return h >>> 0 || 1;
}

// Enough of them to tell a host without scheme from a file name or a member of an object.
const ENDS = new Set(
  `com net org io co dev app ai de uk eu us fr nl es it ch at pl ru cn jp in br ca au example test invalid localhost xyz
  info biz me site online top tech cloud link click live page store shop gov edu mil int tv cc gg so sh to ly`.split(
    /\s+/,
  ),
);

function kindOf(text: string, from: number, to: number): number {
  const part = text.slice(from, Math.min(to, from + ADDRESS_CHARS_MAX));
  const at = part.indexOf("@");
  if (at > 0) return part.indexOf(".", at) > at + 1 ? MAIL : 0;
  if (part.includes("://")) return part.startsWith("file:") ? 0 : LINK;
  const host = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.([a-z]{2,9})(?=[/:?#]|$)/i.exec(part);
  if (host !== null) return part.startsWith("www.") || ENDS.has(host[1]!.toLowerCase()) ? LINK : 0;
  // Account numbers, wallets: long, of capitals or hex with many digits, and nothing else.
  if (part.length < ACCOUNT_CHARS || !/^(?:0x)?[A-Za-z0-9]+$/.test(part)) return 0;
  let digits = 0;
  for (let i = 0; i < part.length; i++) if (isDigit(part.charCodeAt(i))) digits++;
  return digits >= ACCOUNT_DIGITS && digits * 3 >= part.length ? ACCOUNT : 0;
}
