// Values of a rule in other forms: wildcards around them, encodings, networks. Says what is wrong with a value as
// ValueError; knows nothing of fields.
import { isIP } from "node:net";
import { ANY, type Part, plain, simplify, windash } from "./pattern.ts";

/** A value that cannot be what its modifiers say, and what to do. */
export class ValueError extends Error {
  readonly code: string;
  readonly remedy: string;
  constructor(code: string, message: string, remedy: string) {
    super(message);
    this.name = "ValueError";
    this.code = code;
    this.remedy = remedy;
  }
}

/** The texts to look for, when the modifiers are applied from left to right. */
export function transform(start: Part[], modifiers: readonly string[]): Part[][] {
  let texts: (Part[] | Buffer)[] = [start];
  for (const m of modifiers) {
    if (m === "windash") texts = texts.map((t) => windash(asText(t)));
    else if (m === "base64") texts = texts.map((t) => [bytes(t, m).toString("base64")]);
    else if (m === "base64offset") texts = texts.flatMap((t) => offsets(bytes(t, m)));
    else if (m === "wide") texts = texts.map((t) => Buffer.from(need(t, m), "utf16le"));
    else if (m === "utf16be") texts = texts.map((t) => Buffer.from(need(t, m), "utf16le").swap16());
    else if (m === "utf16") texts = texts.map((t) => Buffer.from(`\ufeff${need(t, m)}`, "utf16le"));
    else if (m === "contains") texts = texts.map((t) => [ANY, ...asText(t), ANY]);
    else if (m === "startswith") texts = texts.map((t) => [...asText(t), ANY]);
    else if (m === "endswith") texts = texts.map((t) => [ANY, ...asText(t)]);
  }
  return texts.map((t) => simplify(asText(t)));
}

function asText(t: Part[] | Buffer): Part[] {
  return Buffer.isBuffer(t) ? [t.toString("utf8")] : t;
}

function need(t: Part[] | Buffer, modifier: string): string {
  const text = Buffer.isBuffer(t) ? undefined : plain(t);
  if (text !== undefined) return text;
  throw new ValueError(
    "wildcard",
    `"${modifier}" takes text without wildcards`,
    "Escape the wildcard with a backslash",
  );
}

function bytes(t: Part[] | Buffer, modifier: string): Buffer {
  return Buffer.isBuffer(t) ? t : Buffer.from(need(t, modifier), "utf8");
}

/** What base64 of any text holds when the value stands in it at each of three offsets. */
function offsets(value: Buffer): Part[][] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset, " "), value]).toString("base64");
    const end = [text.length, -3, -2][(value.length + offset) % 3]!;
    return [text.slice([0, 2, 3][offset], end)];
  });
}

/** Reads a network; throws ValueError. */
export function readNetwork(source: string): { net: string; prefix: number } {
  const [net, size, more] = source.split("/");
  const family = net!.includes("%") ? 0 : isIP(net!);
  const prefix = size === undefined ? (family === 4 ? 32 : 128) : Number(size);
  const most = family === 4 ? 32 : 128;
  if (
    family === 0 ||
    more !== undefined ||
    size === "" ||
    !Number.isInteger(prefix) ||
    prefix < 0 ||
    prefix > most
  ) {
    throw new ValueError("cidr", `"${source}" is no network`, "Write 10.0.0.0/8 or 2001:db8::/32");
  }
  const bits = addressBits(net!, family);
  if (bits.slice(prefix).includes("1")) {
    throw new ValueError("cidr", `"${source}" has bits beyond its prefix`, "Set the host part to zero");
  }
  return { net: net!, prefix };
}

function groups(text: string | undefined): string[] {
  return text === undefined || text === "" ? [] : text.split(":");
}

function addressBits(address: string, family: number): string {
  if (family === 4)
    return address
      .split(".")
      .map((n) => Number(n).toString(2).padStart(8, "0"))
      .join("");
  // The URL parser writes IPv6 in one form, with an IPv4 tail as two groups.
  const [head, tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill("0");
  const all = tail === undefined ? groups(head) : [...groups(head), ...zeros, ...groups(tail)];
  return all.map((g) => Number.parseInt(g, 16).toString(2).padStart(16, "0")).join("");
}
