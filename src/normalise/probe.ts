// Recognises a stream: which format its first records are, and which agent session they belong to. Reads nothing.
import { isUtf8 } from "node:buffer";
import { blockEnd, framingOf } from "../core/framing.ts";
import { LIMITS } from "../core/limits.ts";
import type { StreamFacts } from "../core/stage.ts";
import { factsOf } from "./facts.ts";
import type { Format } from "./format.ts";
import { FORMATS } from "./formats/index.ts";

const SURE_MIN = 0.5;

/** The format of that name, or undefined. */
export function formatNamed(name: string): Format | undefined {
  return FORMATS.find((format) => format.name === name);
}

/** The session of one parsed record, of formats whose streams hold those of many. */
export function sessionIn(format: string, record: unknown): string | undefined {
  return formatNamed(format)?.sessionIn?.(record);
}

/** What a head holds, a record a text: its lines, or its blocks. */
function textsOf(head: Uint8Array): string[] {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const encoding = isUtf8(bytes) ? "utf8" : "latin1";
  if (framingOf(bytes) === "line") return bytes.toString(encoding).split("\n");
  const texts: string[] = [];
  for (let start = 0; texts.length < LIMITS.probe_records;) {
    const end = blockEnd(bytes, start, bytes.length);
    if (end < 0) break;
    texts.push(bytes.toString(encoding, start, end));
    start = end;
  }
  return texts;
}

/** How sure a format is of a head. One of text is asked about the lines that it reads, and less sure beside JSON. */
function scoreOf(
  format: Format,
  records: readonly unknown[],
  texts: readonly string[],
  path: string,
): number {
  if (format.decode === undefined) return format.recognise(records, path);
  const read: unknown[] = [];
  for (let i = 0; i < texts.length && read.length < LIMITS.probe_records; i++) {
    const record = texts[i] === "" ? undefined : format.decode(texts[i]!);
    if (record !== undefined) read.push(record);
  }
  return read.length === 0
    ? 0
    : (format.recognise(read, path) * read.length) / (read.length + records.length);
}

/** Parsed records of a head; what does not parse is left out. */
function parsed(texts: readonly string[]): unknown[] {
  const found: unknown[] = [];
  for (const line of texts) {
    if (found.length === LIMITS.probe_records) break;
    try {
      if (line.trim() !== "") found.push(JSON.parse(line));
    } catch {
      // A cut or broken line says nothing about the format.
    }
  }
  return found;
}

export interface Probed {
  readonly format: string;
  readonly session: string | undefined;
  readonly facts: StreamFacts | undefined;
}

/** `named` is the format of the configuration, if it names one; else the surest format takes the stream. */
export function probe(head: Uint8Array, path: string, named?: string): Probed {
  const texts = textsOf(head);
  const lines = parsed(texts);
  let best = named === undefined ? undefined : formatNamed(named);
  if (best === undefined) {
    let sure = SURE_MIN;
    for (const format of FORMATS) {
      const score = scoreOf(format, lines, texts, path);
      if (score >= sure && (best === undefined || score > sure)) {
        best = format;
        sure = score;
      }
    }
  }
  if (best === undefined) return { format: "unknown", session: undefined, facts: undefined };
  const session = best.sessionOf(lines, path);
  const facts = factsOf(best.vantage, lines, session);
  return { format: best.name, session, facts };
}
