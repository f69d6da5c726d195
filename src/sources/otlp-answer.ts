// Answers of the receiver, in the encoding of the request: success with what was not kept, or OTLP's Status. Writes
// the few bytes of protobuf that these need.
import type { ServerResponse } from "node:http";
import type { Signal } from "./otlp-messages.ts";
import type { Encoding } from "./otlp-records.ts";
import { CODES, type RefusalStatus } from "./otlp-refusal.ts";

export const TYPES: Readonly<Record<Encoding, string>> = {
  json: "application/json",
  protobuf: "application/x-protobuf",
};

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return [...out, rest];
}

const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field * 8), ...varint(value)]);

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(value.length)]), value]);
}

/** OTLP's Status. */
export function statusBody(encoding: Encoding, status: RefusalStatus, message: string): Buffer {
  const code = CODES[status];
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.concat([number(1, code), bytes(2, Buffer.from(message))]);
}

/** The answer to a request that was taken, all but `rejected` records of it. */
export function successBody(encoding: Encoding, signal: Signal | undefined, rejected: number): Buffer {
  const message = "records that cannot be read were not kept; the ledger has a gap entry for them";
  if (encoding === "json") {
    const body =
      rejected === 0 || signal === undefined
        ? {}
        : { partialSuccess: { [signal.rejected]: String(rejected), errorMessage: message } };
    return Buffer.from(JSON.stringify(body));
  }
  if (rejected === 0) return Buffer.alloc(0);
  return bytes(1, Buffer.concat([number(1, rejected), bytes(2, Buffer.from(message))]));
}

/** Ends a response, if nobody has and somebody still listens. */
export function send(
  res: ServerResponse,
  status: number,
  encoding: Encoding,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { ...headers, "content-type": TYPES[encoding], "content-length": body.length });
  res.end(body);
}
