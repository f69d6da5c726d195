// The messages of OTLP as tables: field numbers, names in OTLP's JSON, and kinds. Numbers and kinds are those of
// opentelemetry-proto 1.x; a field that is not here is skipped. Decodes nothing.

/** How a field is written on the wire, and what it is in OTLP's JSON: ids are hex, 64-bit integers are text. */
export type Scalar =
  | "text"
  | "hex"
  | "base64"
  | "fixed64"
  | "int64"
  | "int32"
  | "uint32"
  | "fixed32"
  | "bool"
  | "double";

export interface Field {
  readonly name: string;
  readonly kind: Scalar | Message;
  /** A list. */
  readonly many: boolean;
}

export interface Message {
  /** By number. */
  readonly fields: Map<number, Field>;
  /** Holds one of its fields at most. */
  readonly choice: boolean;
  /** A log record or span: when it is broken, it alone is left out. */
  readonly record: boolean;
}

type Row = readonly [number: number, name: string, kind: Scalar | Message, many?: "many"];

const empty = (of: { choice?: true; record?: true } = {}): Message => ({
  fields: new Map(),
  choice: of.choice === true,
  record: of.record === true,
});

function fill(message: Message, rows: readonly Row[]): Message {
  for (const [number, name, kind, many] of rows)
    message.fields.set(number, { name, kind, many: many !== undefined });
  return message;
}

const anyValue = empty({ choice: true });
const keyValue = fill(empty(), [
  [1, "key", "text"],
  [2, "value", anyValue],
]);
fill(anyValue, [
  [1, "stringValue", "text"],
  [2, "boolValue", "bool"],
  [3, "intValue", "int64"],
  [4, "doubleValue", "double"],
  [5, "arrayValue", fill(empty(), [[1, "values", anyValue, "many"]])],
  [6, "kvlistValue", fill(empty(), [[1, "values", keyValue, "many"]])],
  [7, "bytesValue", "base64"],
]);

const resource = fill(empty(), [
  [1, "attributes", keyValue, "many"],
  [2, "droppedAttributesCount", "uint32"],
]);
const scope = fill(empty(), [
  [1, "name", "text"],
  [2, "version", "text"],
  [3, "attributes", keyValue, "many"],
  [4, "droppedAttributesCount", "uint32"],
]);

const logRecord = fill(empty({ record: true }), [
  [1, "timeUnixNano", "fixed64"],
  [2, "severityNumber", "int32"],
  [3, "severityText", "text"],
  [5, "body", anyValue],
  [6, "attributes", keyValue, "many"],
  [7, "droppedAttributesCount", "uint32"],
  [8, "flags", "fixed32"],
  [9, "traceId", "hex"],
  [10, "spanId", "hex"],
  [11, "observedTimeUnixNano", "fixed64"],
  [12, "eventName", "text"],
]);

const spanEvent = fill(empty(), [
  [1, "timeUnixNano", "fixed64"],
  [2, "name", "text"],
  [3, "attributes", keyValue, "many"],
  [4, "droppedAttributesCount", "uint32"],
]);
const link = fill(empty(), [
  [1, "traceId", "hex"],
  [2, "spanId", "hex"],
  [3, "traceState", "text"],
  [4, "attributes", keyValue, "many"],
  [5, "droppedAttributesCount", "uint32"],
  [6, "flags", "fixed32"],
]);
const status = fill(empty(), [
  [2, "message", "text"],
  [3, "code", "int32"],
]);
const span = fill(empty({ record: true }), [
  [1, "traceId", "hex"],
  [2, "spanId", "hex"],
  [3, "traceState", "text"],
  [4, "parentSpanId", "hex"],
  [5, "name", "text"],
  [6, "kind", "int32"],
  [7, "startTimeUnixNano", "fixed64"],
  [8, "endTimeUnixNano", "fixed64"],
  [9, "attributes", keyValue, "many"],
  [10, "droppedAttributesCount", "uint32"],
  [11, "events", spanEvent, "many"],
  [12, "droppedEventsCount", "uint32"],
  [13, "links", link, "many"],
  [14, "droppedLinksCount", "uint32"],
  [15, "status", status],
  [16, "flags", "fixed32"],
]);

/** An export request: resources, in them scopes, in them records. */
function request(resources: string, scopes: string, records: string, record: Message): Message {
  const group = fill(empty(), [
    [1, "scope", scope],
    [2, records, record, "many"],
    [3, "schemaUrl", "text"],
  ]);
  const of = fill(empty(), [
    [1, "resource", resource],
    [2, scopes, group, "many"],
    [3, "schemaUrl", "text"],
  ]);
  return fill(empty(), [[1, resources, of, "many"]]);
}

/** What a client exports, and under which names its request holds it. */
export interface Signal {
  readonly name: "logs" | "traces";
  readonly resources: string;
  readonly scopes: string;
  readonly records: string;
  /** Of the answer's partial success. */
  readonly rejected: string;
  readonly request: Message;
}

export const LOGS: Signal = {
  name: "logs",
  resources: "resourceLogs",
  scopes: "scopeLogs",
  records: "logRecords",
  rejected: "rejectedLogRecords",
  request: request("resourceLogs", "scopeLogs", "logRecords", logRecord),
};
export const TRACES: Signal = {
  name: "traces",
  resources: "resourceSpans",
  scopes: "scopeSpans",
  records: "spans",
  rejected: "rejectedSpans",
  request: request("resourceSpans", "scopeSpans", "spans", span),
};
