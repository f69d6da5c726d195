// Gemini CLI: its telemetry file (`telemetry.outfile`), JSON objects printed over several lines, back to back. They are
// the OpenTelemetry SDK's own log records, spans and metrics, not OTLP: read here into the shape that OTLP's are.
import { type Fields, type Format, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import { asCount } from "./fields.ts";
import type { OtlpRecord } from "./otlp-attributes.ts";
import { log } from "./otlp-logs.ts";
import { span } from "./otlp-spans.ts";

/** `[seconds, nanoseconds]` as OTLP writes times: nanoseconds as text, since a number does not hold them. */
function nanosOf(value: unknown): string | undefined {
  const time = asList(value);
  const seconds = asCount(time[0]);
  const nanos = asCount(time[1]);
  if (seconds === undefined || nanos === undefined || nanos > 999_999_999) return undefined;
  return `${seconds}${String(nanos).padStart(9, "0")}`;
}

/** Attributes of a resource: pairs, or an object in older versions. */
function resourceOf(value: unknown): Fields {
  const resource = asObject(value);
  const pairs = resource?.["_rawAttributes"];
  const all = Object.create(null) as Fields;
  for (const pair of asList(pairs)) {
    const key = asText(asList(pair)[0]);
    if (key !== undefined) all[key] = asList(pair)[1];
  }
  const plain = asObject(resource?.["attributes"]) ?? asObject(resource?.["_attributes"]);
  return plain === undefined ? all : Object.assign(all, plain);
}

/** A log record or span with the fields of OTLP that the mappers read. */
function rawOf(r: Fields): Fields {
  const context = asObject(r["spanContext"]) ?? asObject(r["_spanContext"]);
  const parent = asText(r["parentSpanId"]) ?? asText(asObject(r["parentSpanContext"])?.["spanId"]);
  const body = r["_body"] ?? r["body"];
  return {
    traceId: context?.["traceId"],
    spanId: context?.["spanId"],
    parentSpanId: parent,
    timeUnixNano: nanosOf(r["hrTime"]),
    observedTimeUnixNano: nanosOf(r["hrTimeObserved"]),
    startTimeUnixNano: nanosOf(r["startTime"]),
    endTimeUnixNano: nanosOf(r["endTime"]),
    status: r["status"],
    body: typeof body === "string" ? { stringValue: body } : undefined,
  };
}

function map(r: Fields, scope: Scope): Outcome {
  if (Array.isArray(r["scopeMetrics"])) return "skipped:metrics";
  const attributes = asObject(r["attributes"]);
  const isSpan = Array.isArray(r["startTime"]);
  if (attributes === undefined || (!isSpan && !Array.isArray(r["hrTime"]))) return keep(r, scope);
  const resource = resourceOf(r["resource"]);
  const session = scope.session(
    asText(attributes["session.id"]) ??
      asText(attributes["gen_ai.conversation.id"]) ??
      asText(resource["session.id"]),
  );
  const name = asText(attributes["event.name"]) ?? asText(r["eventName"]) ?? asText(r["name"]) ?? "log";
  const of: OtlpRecord = { name, attributes, resource, raw: rawOf(r), session, scope };
  return (isSpan ? span(of) : log(of)) > 0 ? "recorded" : "skipped:progress";
}

function keep(r: Fields, scope: Scope): Outcome {
  const e = scope.event("record", undefined);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = r as never;
  scope.emit(e);
  return "recorded";
}

/** Whether it is one of the SDK's own objects. */
function isOwn(value: unknown): boolean {
  const r = asObject(value);
  if (r === undefined || asObject(r["resource"]) === undefined) return false;
  if (Array.isArray(r["scopeMetrics"])) return true;
  return (
    asObject(r["attributes"]) !== undefined && (Array.isArray(r["hrTime"]) || Array.isArray(r["startTime"]))
  );
}

export const geminiTelemetry: Format = {
  name: "gemini-telemetry",
  vantage: "otel",
  recognise: (head) => (head.length === 0 ? 0 : head.filter(isOwn).length / head.length),
  sessionOf(head) {
    for (const value of head) {
      const r = asObject(value);
      const id =
        asText(asObject(r?.["attributes"])?.["session.id"]) ??
        asText(resourceOf(r?.["resource"])["session.id"]);
      if (id !== undefined) return id;
    }
    return undefined;
  },
  open() {
    return (record, scope) => {
      const r = asObject(record);
      return r === undefined ? "skipped:not_an_object" : map(r, scope);
    };
  },
};
