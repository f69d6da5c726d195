// An alert as an OCSF Detection Finding (class 2004 of OCSF 1.8.0), for those who keep findings in that schema. Pure. What
// the schema has no place for goes to `unmapped` under its own name, so that nothing is lost.
import { isIP } from "node:net";
import { toMs } from "../core/time.ts";
import { flatten } from "./document.ts";

const VERSION = "1.8.0";
const SEVERITY: Readonly<Record<string, readonly [number, string]>> = {
  informational: [1, "Informational"],
  low: [2, "Low"],
  medium: [3, "Medium"],
  high: [4, "High"],
  critical: [5, "Critical"],
};
/** What ECS needs and OCSF says in its own way. */
const ENVELOPE = [
  "data_stream.type",
  "ecs.version",
  "observer.product",
  "event.kind",
  "event.category",
  "event.type",
  "event.module",
  "event.severity",
];
// As the schema's own pattern has it; what differs stays unmapped.
const EMAIL = /^[\w!#$%&'*+\-/=?^`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$/;
const PORT_MAX = 65_535;

type Shape = Readonly<Record<string, unknown>>;

/** An object of what is there, or undefined when nothing is. */
function shape(fields: Shape): Shape | undefined {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return there.length === 0 ? undefined : Object.fromEntries(there);
}

/** A list of what is there, or undefined when nothing is. */
function listed(items: readonly (Shape | undefined)[]): readonly Shape[] | undefined {
  const there = items.filter((item) => item !== undefined);
  return there.length === 0 ? undefined : there;
}

/** The fields of a document; what nobody takes is unmapped. */
class Fields {
  readonly #rest: Map<string, unknown>;

  constructor(document: object) {
    this.#rest = new Map(Object.entries(flatten(document)).filter(([, value]) => value !== null));
    for (const name of ENVELOPE) this.#rest.delete(name);
  }

  /** Takes a field that fits, as it is. */
  take<T>(name: string, fits: (value: unknown) => value is T): T | undefined {
    const value = this.#rest.get(name);
    if (!fits(value)) return undefined;
    this.#rest.delete(name);
    return value;
  }

  text(name: string, pattern = /^/): string | undefined {
    return this.take(name, (value) => typeof value === "string" && pattern.test(value));
  }

  number(name: string): number | undefined {
    return this.take(name, (value) => Number.isSafeInteger(value));
  }

  texts(name: string): readonly string[] | undefined {
    return this.take(name, (value) => Array.isArray(value) && value.every((v) => typeof v === "string"));
  }

  /** Milliseconds since 1970. */
  time(name: string): number | undefined {
    const text = this.take(name, (value) => typeof value === "string" && !Number.isNaN(toMs(value)));
    return text === undefined ? undefined : toMs(text);
  }

  has(name: string): boolean {
    return this.#rest.has(name);
  }

  get rest(): Shape | undefined {
    return shape(Object.fromEntries(this.#rest));
  }
}

/** The finding of a document of the alerts, nested as a sink gets it: an alert creates one; the summary of alerts that were
 * suppressed updates the one that was told. */
export function ocsfFinding(document: object): object {
  const f = new Fields(document);
  const updates = f.text("event.action") === "alert-suppressed";
  const uid = f.text("event.id") ?? "";
  const happened = f.time("@timestamp") ?? 0;
  const created = f.time("event.created") ?? happened;
  const start = f.time("tapline.alert.window.start") ?? happened;
  const end = f.time("tapline.alert.window.end") ?? happened;
  const [severity_id, severity] = SEVERITY[f.text("tapline.alert.level") ?? ""] ?? [0, "Unknown"];
  const ids = f.texts("tapline.alert.event_ids") ?? [];
  const count = f.number("tapline.alert.count") ?? ids.length;
  const reason = f.text("event.reason");
  const message = f.text("message") ?? reason;
  const finding_info = {
    ...findingInfo(f, ids, count),
    uid: f.text("tapline.alert.suppressed_by") ?? uid,
    ...(updates ? { modified_time: created } : { created_time: created }),
    first_seen_time: start,
    last_seen_time: end,
  };
  const evidences = evidencesOf(f, ids[0]);
  const finding = {
    activity_id: updates ? 2 : 1,
    activity_name: updates ? "Update" : "Create",
    category_uid: 2,
    category_name: "Findings",
    class_uid: 2004,
    class_name: "Detection Finding",
    type_uid: updates ? 200_402 : 200_401,
    type_name: `Detection Finding: ${updates ? "Update" : "Create"}`,
    time: created,
    start_time: start,
    end_time: end,
    count: updates ? count : undefined,
    severity_id,
    severity,
    ...(updates ? {} : { status_id: 1, status: "New" }),
    is_alert: !updates,
    message,
    risk_score: f.number("event.risk_score"),
    finding_info,
    evidences,
    resources: resourcesOf(f),
    device: shapeWith("hostname", f.text("host.name"), { type_id: 0, type: "Unknown" }),
    metadata: metadataOf(f, uid, created),
    observables: observablesOf(evidences?.[0]),
  };
  return shape({ ...finding, unmapped: f.rest })!;
}

/** `fields` beside what names the thing, or undefined when nothing does. */
function shapeWith(name: string, value: string | undefined, fields: Shape): Shape | undefined {
  return value === undefined ? undefined : shape({ [name]: value, ...fields });
}

function metadataOf(f: Fields, uid: string, created: number): Shape {
  const dataset = f.text("data_stream.dataset") ?? "tapline.alert";
  return shape({
    version: VERSION,
    product: shape({ name: "Tapline", vendor_name: "Tapline", version: f.text("observer.version") }),
    uid,
    log_name: `logs-${dataset}-${f.text("data_stream.namespace") ?? "default"}`,
    processed_time: created,
    sequence: f.number("event.sequence"),
  })!;
}

function findingInfo(f: Fields, ids: readonly string[], count: number): Shape {
  const tag = (name: string): Shape | undefined => {
    const values = f.texts(`tapline.control.${name}`);
    return values === undefined || values.length === 0 ? undefined : { name, values };
  };
  const title = f.text("rule.name");
  const source = f.text("tapline.source");
  return shape({
    title,
    desc: f.text("rule.description"),
    src_url: f.text("rule.reference"),
    analytic: shapeWith("uid", f.text("rule.id"), {
      name: title,
      type_id: 1,
      type: "Rule",
      category: f.text("rule.category"),
      version: f.text("rule.version"),
    }),
    attacks: attacksOf(f),
    data_sources: source === undefined ? undefined : [source],
    related_events: listed(ids.map((id) => ({ uid: id, type: "ECS event" }))),
    related_events_count: count,
    tags: listed([tag("iso42001"), tag("nist_ai_rmf"), tag("eu_ai_act")]),
  })!;
}

/** Tactics and techniques stand apart, since a rule does not pair them. */
function attacksOf(f: Fields): readonly Shape[] | undefined {
  const tactics = f.texts("threat.tactic.name") ?? [];
  const techniques = f.texts("threat.technique.id") ?? [];
  return listed([
    ...tactics.map((name) => ({ tactic: { name } })),
    ...techniques.map((uid) => {
      const whole = /^(.*T\d+)\.\d+$/.exec(uid)?.[1];
      return whole === undefined
        ? { technique: { uid } }
        : { technique: { uid: whole }, sub_technique: { uid } };
    }),
  ]);
}

/** First what was done, then the results that its content or its orders came from. */
function evidencesOf(f: Fields, uid: string | undefined): readonly Shape[] | undefined {
  const matched = f.take("tapline.alert.evidence", (value) => value !== undefined);
  const group = f.take("tapline.alert.group", (value) => value !== undefined);
  const path = f.text("file.path");
  const done = shape({
    actor: actorOf(f),
    api: apiOf(f),
    data: shape({ matched, group }),
    dst_endpoint: endpointOf(f),
    file: shapeWith("path", path, {
      name: path?.split(/[\\/]/).findLast((part) => part !== "") ?? path,
      type_id: 0,
      type: "Unknown",
    }),
    url: f.has("url.full")
      ? shape({ url_string: f.text("url.full"), hostname: f.text("url.domain") })
      : undefined,
  });
  const from = (event: string, tool: string, server: string, name: string): Shape | undefined => {
    if (!f.has(event) || !f.has(tool)) return undefined;
    const service = shapeWith("name", f.text(server), {});
    return shape({ name, uid: f.text(event), api: shape({ operation: f.text(tool), service }) });
  };
  return listed([
    done === undefined ? undefined : shape({ uid, ...done }),
    from(
      "tapline.flow.from_event",
      "tapline.flow.from_tool",
      "tapline.flow.from_server",
      "result whose content went out",
    ),
    from(
      "tapline.provenance.source_event",
      "tapline.provenance.source_tool",
      "tapline.provenance.source_server",
      "result that instructed the agent",
    ),
  ]);
}

function actorOf(f: Fields): Shape | undefined {
  const known = f.has("user.name") || f.has("user.id");
  const session = f.text("gen_ai.conversation.id");
  return shape({
    app_name: f.text("service.name"),
    session: shapeWith("uid", session ?? f.text("session.id"), {}),
    user: known
      ? shape({
          name: f.text("user.name"),
          uid: f.text("user.id"),
          email_addr: f.text("user.email", EMAIL),
        })
      : undefined,
  });
}

function apiOf(f: Fields): Shape | undefined {
  return shapeWith("operation", f.text("gen_ai.tool.name") ?? f.text("mcp.method.name"), {
    service: shapeWith("name", f.text("tapline.server.name"), {}),
    request: shapeWith("uid", f.text("gen_ai.tool.call.id"), {}),
  });
}

/** Where data went, else the server that was called. */
function endpointOf(f: Fields): Shape | undefined {
  const isPort = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= PORT_MAX;
  const ip = f.take("destination.ip", (v) => typeof v === "string" && isIP(v) !== 0 && !v.includes("%"));
  const hostname = f.text("destination.domain");
  if (ip !== undefined || hostname !== undefined)
    return shape({ hostname, ip, port: f.take("destination.port", isPort) });
  const server = f.text("server.address");
  return shapeWith("hostname", server, {
    port: server === undefined ? undefined : f.take("server.port", isPort),
  });
}

function resourcesOf(f: Fields): readonly Shape[] | undefined {
  const agent = { name: f.text("gen_ai.agent.name"), uid: f.text("gen_ai.agent.id") };
  const target = { role_id: 1, role: "Target" };
  return listed([
    agent.name === undefined && agent.uid === undefined
      ? undefined
      : shape({ ...agent, type: "AI agent", role_id: 2, role: "Actor" }),
    shapeWith("uid", f.text("tapline.server.url"), { type: "MCP server", ...target }),
    shapeWith("uid", f.text("mcp.resource.uri"), { type: "MCP resource", ...target }),
  ]);
}

const OBSERVABLES = [
  ["actor.user.name", 4, "User Name"],
  ["actor.user.email_addr", 5, "Email Address"],
  ["dst_endpoint.hostname", 1, "Hostname"],
  ["dst_endpoint.ip", 2, "IP Address"],
  ["file.path", 45, "File Path"],
  ["url.url_string", 6, "URL String"],
] as const;

function observablesOf(evidence: Shape | undefined): readonly Shape[] | undefined {
  const valueAt = (path: string): unknown =>
    path.split(".").reduce<unknown>((at, key) => (at as Shape | undefined)?.[key], evidence);
  return listed(
    OBSERVABLES.map(([path, type_id, type]) => {
      const value = valueAt(path);
      return value === undefined ? undefined : { name: `evidences[0].${path}`, type_id, type, value };
    }),
  );
}
