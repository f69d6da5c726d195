// OTLP as JSON, one export request a line, as collectors write files: logs and spans to events. Metrics are counted,
// not kept: what they say is in the logs. Reads no protobuf.
import { type Fields, type Format, type Outcome, type Scope, asList, asObject, asText } from "../format.ts";
import { type OtlpRecord, attributesOf, idOf, valueOf } from "./otlp-attributes.ts";
import { log } from "./otlp-logs.ts";
import { span } from "./otlp-spans.ts";

const SIGNALS = [
  { list: "resourceLogs", scopes: "scopeLogs", records: "logRecords" },
  { list: "resourceSpans", scopes: "scopeSpans", records: "spans" },
] as const;

/** Session of a log record or span: the agent's, else the trace. */
function sessionIdOf(a: Fields, resource: Fields, raw: Fields): string | undefined {
  return (
    asText(a["gen_ai.conversation.id"]) ??
    asText(a["session.id"]) ??
    asText(a["conversation.id"]) ??
    asText(resource["session.id"]) ??
    idOf(raw["traceId"])
  );
}

function nameOf(raw: Fields, a: Fields): string {
  const body = valueOf(raw["body"]);
  const short = asText(raw["eventName"]) ?? asText(a["event.name"]) ?? asText(raw["name"]);
  // Claude Code's full name is in the body, its attribute has the short one.
  if (typeof body === "string" && short !== undefined && body.endsWith(`.${short}`)) return body;
  return short ?? (typeof body === "string" && /^[\w.]{3,64}$/.test(body) ? body : "log");
}

function map(r: Fields, scope: Scope): Outcome {
  if (Array.isArray(r["resourceMetrics"])) return "skipped:metrics";
  let emitted = 0;
  let seen = 0;
  for (const { list, scopes, records } of SIGNALS) {
    for (const entry of asList(r[list])) {
      const of = asObject(entry);
      const resource = attributesOf(asObject(of?.["resource"])?.["attributes"]);
      for (const group of asList(of?.[scopes])) {
        for (const item of asList(asObject(group)?.[records])) {
          const raw = asObject(item);
          if (raw === undefined) continue;
          const attributes = attributesOf(raw["attributes"]);
          const session = scope.session(sessionIdOf(attributes, resource, raw));
          const record: OtlpRecord = {
            name: nameOf(raw, attributes),
            attributes,
            resource,
            raw,
            session,
            scope,
          };
          seen++;
          emitted += list === "resourceLogs" ? log(record) : span(record);
        }
      }
    }
  }
  if (emitted > 0) return "recorded";
  if (seen > 0) return "skipped:progress";
  return "resourceLogs" in r || "resourceSpans" in r ? "skipped:empty" : unknown(r, scope);
}

function unknown(r: Fields, scope: Scope): Outcome {
  const e = scope.event("record", undefined);
  e["tapline.record.known"] = false;
  e["tapline.ext"] = r as never;
  scope.emit(e);
  return "recorded";
}

/** Session of the first log record or span; `traced` takes its trace where nothing else names one. */
function firstSession(value: unknown, traced: boolean): string | undefined {
  for (const { list, scopes, records } of SIGNALS) {
    const of = asObject(asList(asObject(value)?.[list])[0]);
    const raw = asObject(asList(asObject(asList(of?.[scopes])[0])?.[records])[0]);
    if (raw === undefined) continue;
    const id = sessionIdOf(
      attributesOf(raw["attributes"]),
      attributesOf(asObject(of!["resource"])?.["attributes"]),
      traced ? raw : {},
    );
    if (id !== undefined) return id;
  }
  return undefined;
}

export const otlpJson: Format = {
  name: "otlp-json",
  vantage: "otel",
  recognise(head) {
    if (head.length === 0) return 0;
    let sum = 0;
    for (const value of head) {
      const r = asObject(value) ?? {};
      if (["resourceLogs", "resourceSpans", "resourceMetrics"].some((key) => Array.isArray(r[key]))) sum++;
    }
    return sum / head.length;
  },
  // A file holds the sessions of many agents: the first is as good a guess as any for where its state lives.
  sessionOf(head) {
    for (const value of head) {
      const id = firstSession(value, false);
      if (id !== undefined) return id;
    }
    return undefined;
  },
  sessionIn: (record) => firstSession(record, true),
  open() {
    return (record, scope) => {
      const r = asObject(record);
      return r === undefined ? "skipped:not_an_object" : map(r, scope);
    };
  },
};
