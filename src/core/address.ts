// Hosts that are IP addresses, in every form that resolvers take: dotted, decimal, hexadecimal, octal, short, and IPv4
// inside IPv6. Resolves nothing.
import { isIP } from "node:net";

export interface Address {
  /** Dotted, or IPv6 as given. */
  readonly ip: string;
  /** How it was written: plain, decimal, hex, octal, short or mapped. */
  readonly form: string;
}

const DIGITS = /^(?:0x[0-9a-f]{1,8}|\d{1,11})(?:\.(?:0x[0-9a-f]{1,8}|\d{1,11})){0,3}$/;

/** The address that a host in lower case is; undefined for a name. */
export function addressOf(host: string): Address | undefined {
  if (host.includes(":")) return isIP(host) === 6 ? (mapped(host) ?? { ip: host, form: "plain" }) : undefined;
  const first = host.charCodeAt(0);
  return first >= 48 && first <= 57 && DIGITS.test(host) ? ipv4(host) : undefined;
}

/** As inet_aton reads it: one to four numbers, the last fills what is left. */
function ipv4(host: string): Address | undefined {
  const parts = host.split(".");
  const form = host.includes("x")
    ? "hex"
    : parts.some((part) => part.length > 1 && part.startsWith("0"))
      ? "octal"
      : parts.length === 1
        ? "decimal"
        : parts.length < 4
          ? "short"
          : "plain";
  let value = 0;
  for (let i = 0; i < parts.length; i++) {
    const n = numberOf(parts[i]!);
    const last = i === parts.length - 1;
    const most = last ? 256 ** (5 - parts.length) : 256;
    if (n === undefined || n >= most) return undefined;
    value = last ? value * most + n : value * 256 + n;
  }
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
  return { ip: bytes.join("."), form };
}

function numberOf(part: string): number | undefined {
  const radix = part.startsWith("0x") ? 16 : part.length > 1 && part.startsWith("0") ? 8 : 10;
  const digits = radix === 16 ? part.slice(2) : part;
  if (digits === "" || (radix === 8 && /[89]/.test(digits))) return undefined;
  return Number.parseInt(digits, radix);
}

/** IPv4-mapped, -compatible and NAT64 forms hold an IPv4 address in their last four bytes. */
function mapped(host: string): Address | undefined {
  const text = new URL(`http://[${host}]/`).hostname.slice(1, -1);
  const found = /^(?:::ffff:|::|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  if (found === null) return undefined;
  const high = Number.parseInt(found[1]!, 16);
  const low = Number.parseInt(found[2]!, 16);
  return { ip: `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`, form: "mapped" };
}
