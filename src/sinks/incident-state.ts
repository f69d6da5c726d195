// Keeps the index tapline-incident-state: one document an incident, what it is at present. A view and never evidence: at
// each start it is built again from the ledger, and an older version replaces no newer one. Under a credential of its own.
import { z } from "zod";
import { TaplineError } from "../core/errors.ts";
import { forEachEntry } from "../core/entry.ts";
import { flatten } from "../core/flatten.ts";
import { LIMITS } from "../core/limits.ts";
import type { Component, DeadLetter, EntryBatch, Sink, SinkContext, WriteResult } from "../core/stage.ts";
import { InOrder } from "../core/in-order.ts";
import { type Incident, type Step, applyStep } from "../incident/present.ts";
import { excerpt, refused } from "./answer.ts";
import { type Server, checkCredentials, connectionShape } from "./connection.ts";
import { connectElasticsearch } from "./elasticsearch.ts";
import { presentDocument } from "./incident-document.ts";
import { STATE_INDEX } from "./incident-setup.ts";
import { connectOpenSearch } from "./opensearch.ts";

const config = z
  .strictObject({
    type: z.literal("incident-state"),
    engine: z.enum(["elasticsearch", "opensearch"]).describe("Which server it is"),
    ...connectionShape,
    api_key_file: z
      .string()
      .min(1)
      .optional()
      .describe("For Elasticsearch: file that holds an API key, base64 as the server gives it"),
  })
  .superRefine((options, context) => {
    checkCredentials(options, context);
    if (options.api_key_file === undefined) return;
    if (options.engine !== "elasticsearch") context.addIssue("api_key_file is for elasticsearch");
    if (options.username !== undefined) context.addIssue("username and api_key_file exclude each other");
  })
  .describe(
    "What incidents are at present, in the index `tapline-incident-state`: a view for dashboards, never evidence",
  );

const MARK = Buffer.from('"dataset":"tapline.incident"');
const BULK = { filter_path: "errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason" };

interface Held {
  readonly incident: Incident;
  readonly host: string | undefined;
}

/** Why the server will not have a document, by id of the incident. */
type Refusals = ReadonlyMap<string, { readonly status: number; readonly reason: string }>;

interface Changed {
  readonly index: number;
  readonly event_id: string;
  readonly incident: string;
}

class IncidentState implements Sink {
  readonly #connect: () => Promise<Server>;
  readonly #context: SinkContext;
  #server: Server | undefined;
  #held = new Map<string, Held>();
  readonly #turns = new InOrder();

  constructor(connect: () => Promise<Server>, context: SinkContext) {
    this.#connect = connect;
    this.#context = context;
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.check(signal);
    this.#held = new Map();
    for (const { index, step } of await this.#context.incidents()) this.#apply(step, index);
    const refusals = await this.#put([...this.#held.keys()], signal);
    for (const [id, { reason }] of refusals)
      this.#context.log("warn", `the server refuses incident ${id}: ${reason}`);
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#drop();
    this.#server = await this.#connect();
    const path = `/_index_template/${STATE_INDEX}`;
    const query = { filter_path: "index_templates.name" };
    const answer = await this.#server.request("GET", path, query, undefined, signal);
    if (answer.status === 403 || answer.status === 200) return;
    if (answer.status === 401) throw refused(401, excerpt(answer));
    if (answer.status !== 404) throw failed(answer.status, excerpt(answer));
    throw new TaplineError("SINK_NO_TEMPLATE", `the server has no index template ${STATE_INDEX}`, {
      retry: true,
      remedy: "run `tapline setup`",
    });
  }

  /** One at a time, in the order of the calls. */
  write(batch: EntryBatch, _resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    return this.#turns.take(() => this.#batch(batch, signal));
  }

  async close(): Promise<void> {
    await this.#turns.idle();
    await this.#drop();
  }

  async #batch(batch: EntryBatch, signal: AbortSignal): Promise<WriteResult> {
    const changed: Changed[] = [];
    const { run, first } = batch;
    const bytes = Buffer.from(run.buffer, run.byteOffset, run.length);
    if (bytes.includes(MARK)) {
      forEachEntry(run, (start, end, position) => {
        const entry = bytes.subarray(start, end);
        if (!entry.includes(MARK)) return;
        const step = flatten(JSON.parse(entry.toString("utf8")) as object) as Step;
        const incident = step["tapline.incident.id"];
        const ours = step["event.action"] === "incident" && step["tapline.vantage"] === "self";
        if (!ours || incident === undefined) return;
        this.#apply(step, first + position);
        changed.push({ index: first + position, event_id: step["event.id"] ?? "", incident });
      });
    }
    const refusals = await this.#put([...new Set(changed.map(({ incident }) => incident))], signal);
    const dead: DeadLetter[] = [];
    for (const { index, event_id: id, incident } of changed) {
      const refusal = refusals.get(incident);
      if (refusal !== undefined) dead.push({ index, id, ...refusal });
    }
    const created = changed.length - dead.length;
    return { created, existing: 0, dead, filtered: batch.count - changed.length };
  }

  /** Steps that were applied before change nothing. */
  #apply(step: Step, index: number): void {
    const id = step["tapline.incident.id"] ?? "";
    const before = this.#held.get(id);
    const applied = applyStep(before?.incident, step, index);
    if (applied === undefined) return;
    this.#held.set(id, { incident: applied.incident, host: before?.host ?? step["host.name"] });
  }

  async #put(ids: readonly string[], signal: AbortSignal): Promise<Refusals> {
    const refusals = new Map<string, { status: number; reason: string }>();
    for (let at = 0; at < ids.length; at += LIMITS.bulk_items) {
      const some = ids.slice(at, at + LIMITS.bulk_items);
      const bytes = some.map((id) => pairOf(id, this.#held.get(id)!)).join("");
      this.#server ??= await this.#connect();
      const answer = await this.#server.request("POST", "/_bulk", BULK, { bytes, type: "ndjson" }, signal);
      if (answer.status === 401 || answer.status === 403) {
        // The secret may have been changed meanwhile: the next call reads it again.
        await this.#drop();
        throw refused(answer.status, excerpt(answer));
      }
      if (answer.status !== 200) throw failed(answer.status, excerpt(answer));
      settle(answer.text, some, refusals);
    }
    return refusals;
  }

  async #drop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }
}

/** The version is the ledger's index: a newer state is never replaced by an older one. */
function pairOf(id: string, { incident, host }: Held): string {
  const version = incident.last_index;
  const action = { index: { _index: STATE_INDEX, _id: id, version, version_type: "external" } };
  return `${JSON.stringify(action)}\n${JSON.stringify(presentDocument(incident, host))}\n`;
}

interface Item {
  readonly _id?: string;
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}

/** Every item that was sent has to be accounted for. */
function settle(
  text: string,
  sent: readonly string[],
  refusals: Map<string, { status: number; reason: string }>,
): void {
  let items: { index?: Item }[] = [];
  try {
    items = (JSON.parse(text) as { items?: { index?: Item }[] }).items ?? [];
  } catch {
    // No JSON is no answer.
  }
  if (items.length !== sent.length) throw failed(200, "an answer that does not account for every document");
  for (const [i, { index: item }] of items.entries()) {
    const status = item?.status ?? 0;
    const reason = `${item?.error?.type ?? ""}: ${item?.error?.reason ?? ""}`;
    // 409: what is there is as new, or newer.
    if (status === 200 || status === 201 || status === 409) continue;
    if (status === 401 || status === 403) throw refused(status, reason);
    if (status === 0 || status === 429 || status >= 500) throw failed(status, reason);
    refusals.set(sent[i]!, { status, reason: reason.slice(0, LIMITS.dead_letter_reason_chars) });
  }
}

function failed(status: number, reason: string): TaplineError {
  return new TaplineError("SINK_FAILED", `the server answered ${status}: ${reason}`, {
    retry: true,
    remedy: "see the server's log",
  });
}

export default {
  config,
  create: ({ engine, ...options }, context) =>
    new IncidentState(
      () => (engine === "elasticsearch" ? connectElasticsearch(options) : connectOpenSearch(options)),
      context,
    ),
} satisfies Component<typeof config, Sink, SinkContext>;
