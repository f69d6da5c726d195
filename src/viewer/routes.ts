// The routes of api.ts: path and method to the one who answers, and which parameters there are.
import type { FieldList, FieldType, Session, StatusAnswer, Terms } from "./api.ts";
import { actOnAlerts, actOnIncident } from "./actions.ts";
import type { Context } from "./context.ts";
import { controlDetail, listControls } from "./controls.ts";
import { headerOf, tellPanels } from "./dashboard-data.ts";
import { detailOf } from "./detail.ts";
import { sendEvidence } from "./evidence.ts";
import { sendExport } from "./exports.ts";
import { indexOfId } from "./find.ts";
import { historyOf, rowOfIncident } from "./incidents.ts";
import type { Live } from "./live.ts";
import { dashboardOf, dashboards, layoutOf } from "./panels.ts";
import { type Request, readBody } from "./request.ts";
import { listRules, ruleDetail } from "./rules.ts";
import { valuesOf } from "./search.ts";
import { tellSearch } from "./search-answer.ts";
import { Stream, notFound, problemOf, sendJson } from "./send.ts";
import { listSessions, tellSession } from "./sessions.ts";
import { isoOf, parsePoint, ALWAYS } from "./times.ts";
import { fieldNames, refuse, typeOf } from "./where.ts";
import { readFields, readTerms } from "../../scripts/gen/tables.ts";
import { VERSION } from "../version.ts";

export interface Route {
  readonly method: "GET" | "POST";
  /** The last `*` stands for an id. */
  readonly path: string;
  readonly parameters: readonly string[];
  /** For an owner only. */
  readonly owner?: true;
  answer(request: Request, context: Context, live: Live): Promise<void>;
}

const PERIOD = ["from", "to"];
const NDJSON = "application/x-ndjson; charset=utf-8";

function get<T>(
  path: string,
  parameters: readonly string[],
  ask: (request: Request, context: Context) => Promise<T> | T,
): Route {
  const answer = async (request: Request, context: Context): Promise<void> =>
    sendJson(request.response, 200, await ask(request, context));
  return { method: "GET", path, parameters, answer };
}

/** An answer in lines. What goes wrong after the first is told in a line where there is one for it, else ends it. */
function lines(
  path: string,
  parameters: readonly string[],
  tell: (request: Request, context: Context, stream: Stream) => Promise<void>,
): Route {
  const answer = async (request: Request, context: Context): Promise<void> => {
    const stream = new Stream(request.response, NDJSON);
    try {
      await tell(request, context, stream);
    } catch (error) {
      if (stream.untouched) throw error;
      stream.line({ type: "problem", panel: "", problem: problemOf(error).problem });
    }
    await stream.end();
  };
  return { method: "GET", path, parameters, answer };
}

function post(path: string, act: (request: Request, context: Context) => Promise<void>): Route {
  return { method: "POST", path, parameters: [], owner: true, answer: act };
}

async function session({ user, role }: Request, context: Context): Promise<Session> {
  const { host, namespace } = context.place;
  const head = await context.head();
  const now = isoOf(Date.now());
  return { user, role, version: VERSION, host, namespace, collecting: context.collecting(), now, head };
}

async function status(_: Request, context: Context): Promise<StatusAnswer> {
  const view = await context.database.view();
  const { files, end } = view.manifest;
  const head = await context.head();
  const times = view.parts.map((part) => part.times).filter(({ from, to }) => from <= to);
  const known = times.length > 0;
  const store = {
    entries: end,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    behind: Math.max(0, head.entries - view.end),
    oldest: known ? isoOf(Math.min(...times.map(({ from }) => from))) : null,
    newest: known ? isoOf(Math.max(...times.map(({ to }) => to))) : null,
  };
  return { status: (context.status() as Readonly<Record<string, unknown>> | undefined) ?? null, head, store };
}

const TABLE = readFields();
const ABOUT = new Map([...TABLE.fields, ...TABLE.sinkFields].map(({ name, about }) => [name, about]));
const FIELD_LIST: FieldList = {
  fields: fieldNames().map((name) => ({
    name,
    type: typeOf(name) as FieldType,
    about: ABOUT.get(name) ?? "",
  })),
};

function dashboard(id: string) {
  return dashboardOf(id) ?? refuseMissing("dashboard");
}

function refuseMissing(what: string): never {
  throw notFound(what);
}

async function dashboardData(
  { asked, id, signal }: Request,
  context: Context,
  stream: Stream,
): Promise<void> {
  const started_ms = performance.now();
  const chosen = dashboard(id);
  const view = await context.database.view();
  const from = parsePoint(chosen.from, Date.now()) ?? ALWAYS.from;
  const question = asked.question(view, signal, { ...ALWAYS, from });
  const tz = asked.tz();
  stream.line({ type: "begin", header: await headerOf(context, question, tz) });
  await tellPanels(context, chosen, question, tz, asked.text("panel"), (data) =>
    stream.line({ type: "panel", data }),
  );
  stream.line({ type: "end", took_ms: Math.round(performance.now() - started_ms) });
}

async function event({ id, signal }: Request, context: Context) {
  const view = await context.database.view();
  const index = /^\d{1,15}$/.test(id) ? Number(id) : await indexOfId(context.database, view, id, signal);
  const detail = index === undefined ? undefined : await detailOf(context, view, index, signal);
  return detail ?? refuseMissing("event");
}

async function timeline({ asked, id, signal }: Request, context: Context, stream: Stream): Promise<void> {
  const view = await context.database.view();
  const page = { limit: asked.limit(), after: asked.after() };
  const question = { view, span: ALWAYS, terms: [], signal };
  if (!(await tellSession(context, question, id, page, (line) => stream.line(line))))
    refuseMissing("session");
}

async function alert({ id, signal }: Request, context: Context) {
  const view = await context.database.view();
  const found = (await context.alerts.one(view, id, signal)) ?? refuseMissing("alert");
  const detail = await detailOf(context, view, found.alert.event.index, signal);
  return { alert: found.alert, detail: detail ?? refuseMissing("alert"), history: found.history };
}

async function incidents({ asked, signal }: Request, context: Context) {
  const wanted = asked.text("status");
  if (wanted !== undefined && !["open", "acknowledged", "closed"].includes(wanted))
    refuse("status is one of open, acknowledged, closed");
  const all = await context.incidents.all(await context.database.view(), signal);
  const now = isoOf(Date.now());
  const rows = [...all.values()].map((one) => rowOfIncident(one.incident, now));
  return { incidents: rows.filter((row) => wanted === undefined || row.status === wanted) };
}

async function incident({ id, signal }: Request, context: Context) {
  const view = await context.database.view();
  const found = (await context.incidents.all(view, signal)).get(id) ?? refuseMissing("incident");
  const ids = new Set(found.told.flatMap(({ step }) => step["tapline.incident.alert_ids"] ?? []));
  const lights = (await context.alerts.lights(view, signal)).filter((light) => ids.has(light.id));
  const presents = await context.alerts.presents(view, signal);
  return {
    incident: rowOfIncident(found.incident, isoOf(Date.now())),
    rules: found.incident.rules,
    recipients: found.incident.recipients,
    history: historyOf(found),
    alerts: await context.alerts.rows(view, lights, presents, signal),
  };
}

async function control({ asked, id, signal }: Request, context: Context) {
  const question = asked.question(await context.database.view(), signal);
  const header = await headerOf(context, question, 0);
  return (await controlDetail(context, question, id, header)) ?? refuseMissing("control");
}

const TERMS_TEXT = readTerms();

/** Fields whose values can be listed: words, not texts. */
async function values({ asked, id, signal }: Request, context: Context) {
  const type = typeOf(id);
  if (type === undefined || !["keyword", "keyword[]", "wildcard", "constant", "boolean", "ip"].includes(type))
    refuse("values of this field are not listed");
  return valuesOf(context.figures, asked.question(await context.database.view(), signal), id);
}

const question = async ({ asked, signal }: Request, context: Context) =>
  asked.question(await context.database.view(), signal);

export const ROUTES: readonly Route[] = [
  get("/api/session", [], session),
  get("/api/fields", [], () => FIELD_LIST),
  get("/api/status", [], status),
  get("/api/terms", [], (): Terms => ({ text: TERMS_TEXT })),
  get("/api/values/*", [...PERIOD, "q"], values),
  get("/api/dashboards", [], () => ({ dashboards: dashboards() })),
  get("/api/dashboards/*", [], ({ id }) => layoutOf(dashboard(id))),
  lines("/api/dashboards/*/data", [...PERIOD, "q", "tz", "panel"], dashboardData),
  lines("/api/events", [...PERIOD, "q", "tz", "limit", "after", "total"], tellSearch),
  get("/api/events/*", [], event),
  get("/api/sessions", [...PERIOD, "q", "limit"], async (request, context) =>
    listSessions(context, await question(request, context), request.asked.limit()),
  ),
  lines("/api/sessions/*", ["limit", "after"], timeline),
  get("/api/alerts", [...PERIOD, "q", "limit", "after", "status", "level"], async (request, context) =>
    context.alerts.list(await question(request, context), {
      status: request.asked.status(),
      level: request.asked.level(),
      limit: request.asked.limit(),
      after: request.asked.after(),
    }),
  ),
  get("/api/alerts/*", [], alert),
  get("/api/incidents", ["status"], incidents),
  get("/api/incidents/*", [], incident),
  get("/api/controls", PERIOD, async (request, context) =>
    listControls(context, await question(request, context)),
  ),
  get("/api/controls/*", PERIOD, control),
  get("/api/rules", PERIOD, async (request, context) => listRules(context, await question(request, context))),
  get("/api/rules/*", PERIOD, async (request, context) => {
    const found = await ruleDetail(context, await question(request, context), request.id);
    return found ?? refuseMissing("rule");
  }),
  {
    method: "GET",
    path: "/api/live",
    parameters: [],
    answer: (request, _, live) => {
      live.listen(request.response);
      return Promise.resolve();
    },
  },
  post("/api/alerts", async (request, context) => {
    const body = await readBody(request.message);
    sendJson(request.response, 202, await actOnAlerts(context, request.user, body, request.signal));
  }),
  post("/api/incidents/*", async (request, context) => {
    const body = await readBody(request.message);
    const { id, user, signal } = request;
    sendJson(request.response, 202, await actOnIncident(context, user, id, body, signal));
  }),
  post("/api/exports", async (request, context) =>
    sendExport(context, request, await readBody(request.message)),
  ),
  post("/api/evidence", async (request, context) =>
    sendEvidence(context, request, await readBody(request.message)),
  ),
];
