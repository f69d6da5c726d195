// What documents of OSCAL are made of: ids that come out the same every time, texts of the shapes that OSCAL accepts,
// metadata, and files by their SHA-256. Knows nothing of controls.
import { hash } from "node:crypto";
import { extname } from "node:path";
import type { PackFile, Report } from "./model.ts";

/** Namespace of ids and properties of ours. A random UUID, since that needs no registry (RFC 9562). */
const NAMESPACE = "b0963da5-2ad3-4007-8500-b2a78a531100";
/** Accepted by the schemas of 1.2.3, and the newest that compliance-trestle 5.2 reads. */
const OSCAL_VERSION = "1.2.1";

export interface Property {
  readonly name: string;
  readonly ns?: string;
  readonly value: string;
}

export type HashedFile = Pick<PackFile, "path" | "sha256">;

/** UUID version 5 (RFC 9562, 5.5): the same name gives the same id, on any machine. */
export function uuid5(name: string, namespace: string = NAMESPACE): string {
  const bytes = Buffer.concat([Buffer.from(namespace.replaceAll("-", ""), "hex"), Buffer.from(name)]);
  const digest = hash("sha1", bytes, "buffer").subarray(0, 16);
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** What is of one ledger at one size, and one period, has its ids from here. */
export function reportId({ integrity, period }: Report): string {
  const head = [integrity.origin, integrity.covered, integrity.root];
  return uuid5(`report ${JSON.stringify([...head, period.from, period.to])}`);
}

/** The collector, in every document that names it. */
export const collectorId = ({ version }: Report): string => uuid5(`collector ${version}`);

/** One line without space at its ends, as values have to be; "-" for nothing. */
export function line(text: string): string {
  return (
    text
      .toWellFormed()
      .replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
      .trim() || "-"
  );
}

/** Somebody else's text where OSCAL has Markdown: it is shown, and is no link, image or HTML. */
export const prose = (text: string): string => line(text).replaceAll(/[\\`*_[\]<>{}&!~^|#]/g, "\\$&");

export const prop = (name: string, value: string | number): Property => ({
  name,
  ns: `urn:uuid:${NAMESPACE}`,
  value: line(String(value)),
});

export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** A.6.2.8 → a-6-2-8: ids are tokens. */
export const tokenOf = (control: string): string => control.toLowerCase().replaceAll(".", "-");

/** A list under its key, or nothing, since OSCAL has no empty lists. */
export const listed = <K extends string, T>(key: K, list: readonly T[]): Partial<Record<K, readonly T[]>> =>
  list.length === 0 ? {} : ({ [key]: list } as Record<K, readonly T[]>);

// OSCAL's dates have years 1900 to 2999. Those of events are their writers'.
const TIME = /^(?:19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const EPOCH = "1970-01-01T00:00:00Z";
export const timeOr = (time: string | null, other: string): string =>
  time !== null && TIME.test(time) ? time : other;
/** The newest event's time, not the clock's: what is made again from the same ledger is the same. */
export const newestOf = ({ retention, period }: Report): string =>
  timeOr(retention.newest, timeOr(period.to, EPOCH));
export function spanOf({ period }: Report): { start: string; end: string } {
  const end = timeOr(period.to, EPOCH);
  return { start: timeOr(period.from, end), end };
}

export const metadata = (title: string, version: string, modified: string, remarks: string) => ({
  title,
  "last-modified": modified,
  version: line(version),
  "oscal-version": OSCAL_VERSION,
  remarks,
});

const MEDIA: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".html": "text/html",
  ".json": "application/json",
  ".md": "text/markdown",
  ".ndjson": "application/x-ndjson",
  ".pdf": "application/pdf",
  ".tsr": "application/timestamp-reply",
  ".yml": "application/yaml",
};

/** A file of the pack as a resource; documents are one folder below the pack. */
export const resourceOf = (uuid: string, { path, sha256 }: HashedFile) => ({
  uuid,
  title: prose(path),
  rlinks: [
    {
      href: `../${path.split("/").map(encodeURIComponent).join("/")}`,
      "media-type": MEDIA[extname(path)] ?? "text/plain",
      hashes: [{ algorithm: "SHA-256", value: sha256 }],
    },
  ],
});

/** The text of a document. Its id follows from all that it says, so that two that differ never share one. */
export function documentOf(kind: string, body: object): string {
  const uuid = uuid5(`${kind} ${JSON.stringify(body)}`);
  return JSON.stringify({ [kind]: { uuid, ...body } }, undefined, 2) + "\n";
}
