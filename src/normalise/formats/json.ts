// Any JSON lines, by a mapping in the configuration; and what no format recognises, kept as it is. A mapping is
// compiled once a stream. What it does not name goes to tapline.ext, so that nothing is lost.
import { z } from "zod";
import { TaplineError } from "../../core/errors.ts";
import { type Action, CLASSES } from "../../core/generated/classes.ts";
import { type Event, type FieldName, FIELDS } from "../../core/generated/event.ts";
import type { Vantage } from "../../core/stage.ts";
import {
  type Fields,
  type Format,
  type Mapper,
  type Outcome,
  type Scope,
  asHeld,
  asObject,
} from "../format.ts";
import type { Session } from "../session.ts";
import { setTargets } from "../targets.ts";
import { asIdentity, timeOf } from "./fields.ts";
import { Finder, type Kept, type Path, compilePath, converterOf, find, restOf, treeOf } from "./json-path.ts";

// Set by Tapline itself: a mapping must not forge them.
const RESERVED =
  /^(?:@timestamp|ecs\.|data_stream\.|observer\.|log\.|event\.(?:id|kind|category|type|action|module|created|sequence|hash)$|tapline\.(?:entry|source|stream|format|vantage|primary|call_key|call\.|tool\.(?:args|result)_hash$|capture|control|config|integrity|blob|alert|count|gap|data|ext|time|backfill|decision\.executed))/;

const eventClass = z.enum(Object.keys(CLASSES) as [Action, ...Action[]]);
const path = z.string().min(1).describe("Dotted path in the record");
const field = z
  .string()
  .refine(
    (name) => Object.hasOwn(FIELDS, name) && !RESERVED.test(name),
    "not a field that a mapping may set",
  );

/** Options of the `json` format. */
export const jsonMapping = z
  .strictObject({
    action: z
      .union([eventClass, z.strictObject({ field: path, map: z.record(z.string(), eventClass) })])
      .default("record")
      .describe(
        "Class of the events, or the path whose value chooses it; values not in the map are kept as `record`",
      ),
    time: path.optional().describe("RFC 3339 text, or a number since 1970"),
    session: path.optional().describe("Agent session of the record"),
    vantage: z.enum(["transcript", "proxy", "hook", "otel", "gateway", "chat", "other"]).default("other"),
    fields: z
      .record(
        field,
        z.union([path, z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]) })]),
      )
      .default({}),
  })
  .superRefine((mapping, context) => {
    for (const [name, from] of Object.entries(mapping.fields)) {
      if (typeof from === "string" || converterOf(name as FieldName)(from.value) !== undefined) continue;
      context.addIssue({
        code: "custom",
        path: ["fields", name],
        message: `needs a ${FIELDS[name as FieldName]}`,
      });
    }
  });
type JsonMapping = z.output<typeof jsonMapping>;

/** A field and where its value comes from. */
interface Placed {
  readonly name: FieldName;
  readonly from: Path;
  readonly as: (value: unknown) => unknown;
}

interface Compiled {
  readonly action: Action | undefined;
  readonly chooser: Path | undefined;
  readonly choices: ReadonlyMap<string, Action>;
  readonly time: Path | undefined;
  readonly session: Path | undefined;
  readonly vantage: Vantage;
  readonly paths: readonly Placed[];
  /** Of the paths, in their order. */
  readonly finder: Finder;
  readonly constants: readonly (readonly [FieldName, unknown])[];
  /** Paths whose values are in a field, for what is left over. */
  readonly used: Kept;
  /** Paths of the record in hand whose values fit no field. */
  readonly failed: Set<Path>;
}

function compile(mapping: JsonMapping): Compiled {
  const paths: Placed[] = [];
  const constants: [FieldName, unknown][] = [];
  for (const [name, from] of Object.entries(mapping.fields) as [
    FieldName,
    JsonMapping["fields"][FieldName],
  ][]) {
    if (typeof from === "string") paths.push({ name, from: compilePath(from), as: converterOf(name) });
    else constants.push([name, converterOf(name)(from.value)]);
  }
  const time = mapping.time === undefined ? undefined : compilePath(mapping.time);
  const session = mapping.session === undefined ? undefined : compilePath(mapping.session);
  const fixed = typeof mapping.action === "string";
  const chooser = fixed ? undefined : compilePath((mapping.action as { field: string }).field);
  const used = [...paths.map(({ from }) => from), time, session, chooser].filter(
    (from) => from !== undefined,
  );
  return {
    action: fixed ? (mapping.action as Action) : undefined,
    chooser,
    choices: new Map(fixed ? [] : Object.entries((mapping.action as { map: Record<string, Action> }).map)),
    time,
    session,
    vantage: mapping.vantage,
    paths,
    finder: new Finder(paths.map(({ from }) => from)),
    constants,
    used: treeOf(used),
    failed: new Set(),
  };
}

function map(of: Compiled, record: unknown, scope: Scope): Outcome {
  const fields = asObject(record);
  if (fields === undefined) return keep(record, scope);
  const { failed, finder } = of;
  failed.clear();
  const session = scope.session(pick(fields, of.session, failed));
  const chosen = pick(fields, of.chooser, failed);
  const action = of.action ?? (chosen === undefined ? undefined : of.choices.get(chosen));
  const e = scope.event(action ?? "record", timeIn(fields, of.time, failed));
  e["tapline.vantage"] = of.vantage;
  e["tapline.record.type"] = chosen;
  if (action === undefined) e["tapline.record.known"] = false;
  for (let i = 0; i < of.constants.length; i++) set(e, of.constants[i]![0], of.constants[i]![1]);
  finder.look(fields);
  for (let i = 0; i < of.paths.length; i++) {
    const { name, from, as } = of.paths[i]!;
    const value = finder.at(fields, i);
    if (value === undefined || value === null) continue;
    const converted = as(value);
    if (converted === undefined) failed.add(from);
    else set(e, name, converted);
  }
  const rest = restOf(fields, of.used, failed);
  if (rest !== undefined) e["tapline.ext"] = asHeld(rest);
  if (action === "tool-call" || action === "tool-result") join(e, action, session, scope);
  scope.emit(e);
  return "recorded";
}

/** Text at a path; what is no text stays in the rest. */
function pick(fields: Fields, from: Path | undefined, failed: Set<Path>): string | undefined {
  if (from === undefined) return undefined;
  const text = asIdentity(find(fields, from));
  if (text === undefined) failed.add(from);
  return text;
}

function timeIn(fields: Fields, from: Path | undefined, failed: Set<Path>): string | number | undefined {
  if (from === undefined) return timeOf(fields);
  const time = find(fields, from);
  if (typeof time === "string" || typeof time === "number") return time;
  failed.add(from);
  return undefined;
}

/** A call and its result find each other by the call's id. */
function join(e: Event, action: Action, session: Session, scope: Scope): void {
  const id = e["gen_ai.tool.call.id"];
  e["gen_ai.operation.name"] ??= "execute_tool";
  if (action === "tool-call") {
    const args = asObject(e["gen_ai.tool.call.arguments"]);
    if (args !== undefined) setTargets(e, e["gen_ai.tool.name"] ?? "", args);
    session.call(e, id ?? `${scope.stream.id}@${scope.offset}`);
  } else if (id !== undefined) session.result(e, id);
}

function set(e: Event, name: FieldName, value: unknown): void {
  (e as unknown as Fields)[name] = value;
}

function keep(record: unknown, scope: Scope): Outcome {
  const e = scope.event("record", timeOf(asObject(record) ?? {}));
  e["tapline.record.known"] = false;
  e["tapline.ext"] = asHeld(record);
  scope.emit(e);
  return "recorded";
}

function open(options: unknown): Mapper {
  if (options === undefined) return keep;
  const parsed = jsonMapping.safeParse(options);
  if (!parsed.success) throw new TaplineError("mapping_invalid", z.prettifyError(parsed.error));
  const compiled = compile(parsed.data);
  return (record, scope) => map(compiled, record, scope);
}

/** Never recognised: it is named in the configuration, with its mapping. */
export const json: Format = {
  name: "json",
  vantage: "other",
  recognise: () => 0,
  sessionOf: () => undefined,
  open: (stream) => open(stream.options),
};

/** What no format claims: every record is kept as it is. */
export const unknown: Format = {
  name: "unknown",
  vantage: "other",
  recognise: () => 0,
  sessionOf: () => undefined,
  open: () => keep,
};
