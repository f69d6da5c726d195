// `tapline erase`: erases a person. What is recorded first names them by a keyed digest; then the key of their sealed fields,
// the blobs that are theirs alone, their rows in the store and their documents in a cluster go. Done again, it goes on.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sinksOf } from "../components.ts";
import type { Config } from "../config.ts";
import { createDigest } from "../core/digest.ts";
import { forEachEntry } from "../core/entry.ts";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Belongings, belongingsOf, destroyKey, removeBlobs, sealedUntil } from "../erasure.ts";
import { actor, submitRecord } from "../incident/submit.ts";
import { findDigestKey, subjectKeys } from "../keys.ts";
import { type Erased, addErased, erasureOf } from "../ledger/erased.ts";
import { type LedgerReader, openReader } from "../ledger/reader.ts";
import { walk } from "../ledger/walk.ts";
import { deleteDocuments } from "../sinks/erase.ts";
import { connect } from "../sinks/setup.ts";
import type { Status } from "../status.ts";
import { clusterNamed } from "./replay.ts";
import { isCollecting } from "./incident/shared.ts";
import { type Command, UsageError, readArgs, readConfig } from "./usage.ts";

const DELETE_MS = 600_000;

interface Asked {
  readonly subject: string;
  readonly reason: string | undefined;
}

/** The person as a keyed digest. */
async function digestOf(config: Config, name: string): Promise<string> {
  const key = await findDigestKey(config.state_dir);
  if (key !== undefined) return createDigest(key)(name);
  throw new TaplineError("KEY_UNREADABLE", `the digest key in ${config.state_dir}/keys cannot be read`, {
    remedy: "run it as the user of the collector, with its configuration: -c FILE",
  });
}

/** Records what is about to go; gives the entries that tell of it. Throws NO_COLLECTOR, NOT_RECORDED. */
async function record(
  { state_dir }: Config,
  reader: LedgerReader,
  { subject, reason }: Asked,
  { entries, blobs, end }: Belongings,
): Promise<Erased[]> {
  const parts = Math.max(1, Math.ceil(blobs.length / LIMITS.erasure_blobs));
  for (let i = 0; i < parts; i++) {
    const some = blobs.slice(i * LIMITS.erasure_blobs, (i + 1) * LIMITS.erasure_blobs);
    const ts = new Date().toISOString();
    const said = { submit: "erasure", ts, user: actor(), subject, entries, blobs: some, reason } as const;
    const path = submitRecord(state_dir, said);
    while (existsSync(path)) {
      if (!isCollecting(state_dir)) throw notRecorded("the collector has stopped");
      await sleep(LIMITS.incident_wait_ms / 50);
    }
  }
  const told: Erased[] = [];
  for await (const { run, first } of walk(reader, end)) {
    forEachEntry(run, (start, stop, position) => {
      if (erasureOf(run.subarray(start, stop))?.subject === subject)
        told.push({ entry: first + position, subject });
    });
  }
  if (told.length < parts) throw notRecorded("the ledger has no entry of it");
  return told;
}

function notRecorded(why: string): TaplineError {
  return new TaplineError("NOT_RECORDED", `the erasure is not recorded: ${why}. Nothing was removed`, {
    remedy: "see that the collector runs (`tapline status`), then ask again",
  });
}

/** Sinks that never have sealed fields in clear: one reads the ledger's files, the other keeps nothing. */
const WITHOUT_CLEAR: readonly (string | undefined)[] = ["store", "null"];

/** Sinks that have not taken the entries before `until` yet, after a moment in which they may. What one of them was given
 * before the key went is in clear, and is sent in clear until it is taken; a collector that has ended reads it anew. */
async function sinksBehind(config: Config, until: number): Promise<string[]> {
  const { state_dir } = config;
  const types = new Map(sinksOf(config).map(([name, { type }]) => [name, type]));
  for (const end_ms = performance.now() + LIMITS.incident_wait_ms; ;) {
    const status = JSON.parse(readFileSync(join(state_dir, "status.json"), "utf8")) as Status;
    const behind = status.sinks.filter(
      ({ name, pending }) => !WITHOUT_CLEAR.includes(types.get(name)) && status.entries - pending < until,
    );
    if (behind.length === 0 || !isCollecting(state_dir)) return [];
    if (performance.now() >= end_ms) return behind.map(({ name }) => name);
    await sleep(LIMITS.incident_wait_ms / 50);
  }
}

interface Principal {
  readonly username: string | undefined;
  readonly password_file: string | undefined;
  readonly password_env: string | undefined;
}

/** Options of the server behind a sink, for another user than the sink's. */
function serverOf(config: Config, sink: string, { username, password_file, password_env }: Principal) {
  const { engine, options: typed } = clusterNamed(config, sink);
  const {
    username: own,
    password_file: _,
    password_env: __,
    api_key_file,
    ...place
  } = typed as {
    type: string;
    username?: string;
    password_file?: string;
    password_env?: string;
    api_key_file?: string;
  };
  const guarded = own !== undefined || api_key_file !== undefined;
  if (guarded && (username === undefined || username === own))
    throw new UsageError(
      "--username and --password-file of somebody who may delete: the sink's own user can only create",
    );
  if ((username === undefined) !== (password_file === undefined && password_env === undefined))
    throw new UsageError("--username goes with one of --password-file and --password-env");
  const principal = username === undefined ? {} : { username, password_file, password_env };
  return { engine, options: { ...place, ...principal } as never };
}

const OPTIONS = {
  config: { type: "string", short: "c" },
  subject: { type: "string" },
  reason: { type: "string" },
  sink: { type: "string" },
  username: { type: "string" },
  "password-file": { type: "string" },
  "password-env": { type: "string" },
  json: { type: "boolean" },
} as const;

export const erase: Command = {
  help: `usage: tapline erase --subject NAME [--reason TEXT] [--sink NAME [--username USER --password-file FILE|--password-env NAME]]
                     [-c FILE] [--json]

  --subject NAME    whose: the user's id where records have one, else the e-mail, else the name, exactly as recorded
  --reason TEXT     why; it is recorded, so do not name the person
  --sink NAME       deletes their documents behind this elasticsearch or opensearch sink too
  --username, --password-file, --password-env
                    somebody who may delete there; the sink's own user can only create

For sources with \`capture: {identity: sealed}\`. Needs a running collector, which records the erasure before anything is removed. What was
recorded of their work stays in the ledger, without who it was; see docs/guides/operations.md. Exit code 1 when there is nothing of
this name, and when a sink has yet to take entries of theirs, which it may have in clear: then ask again.`,
  async run(argv) {
    const { values } = readArgs(argv, { options: OPTIONS });
    if (values.subject === undefined || values.subject === "") throw new UsageError("--subject is needed");
    const config = await readConfig(values.config);
    const principal = {
      username: values.username,
      password_file: values["password-file"],
      password_env: values["password-env"],
    };
    const server = values.sink === undefined ? undefined : serverOf(config, values.sink, principal);
    if (!isCollecting(config.state_dir))
      throw new TaplineError(
        "NO_COLLECTOR",
        "no collector runs, and an erasure is recorded before anything is removed",
        {
          remedy: "start it with `tapline run`",
        },
      );
    const asked = { subject: await digestOf(config, values.subject), reason: values.reason };
    return await eraseSubject(config, asked, server, values.json === true);
  },
};

async function eraseSubject(
  config: Config,
  asked: Asked,
  server: ReturnType<typeof serverOf> | undefined,
  json: boolean,
): Promise<number> {
  const dir = join(config.state_dir, "ledger");
  const keys = subjectKeys(config.state_dir);
  const reader = openReader(dir);
  try {
    const found = await belongingsOf(reader, asked.subject);
    if (found.entries === 0 && !existsSync(join(keys, `${asked.subject}.key`))) {
      if (json) console.log(JSON.stringify({ subject: asked.subject, entries: 0 }));
      else
        console.error(
          "nothing is sealed for this name: it has to be as records have it, the id before e-mail and name",
        );
      return 1;
    }
    const told = await record(config, reader, asked, found);
    await addErased(dir, told);
    const key = await destroyKey(keys, asked.subject);
    const until = Math.max(found.until, await sealedUntil(reader, asked.subject, found.end));
    const behind = await sinksBehind(config, until);
    const blobs = await removeBlobs(dir, found.blobs, reader, found.end);
    const documents = server === undefined ? undefined : await deleteAt(server, found.ids);
    const { entries, ids } = found;
    const entry = told.at(-1)!.entry;
    const done = {
      subject: asked.subject,
      entry,
      entries,
      events: ids.length,
      key,
      blobs,
      documents,
      behind,
    };
    if (json) console.log(JSON.stringify(done));
    else print(done);
    for (const name of behind)
      console.error(
        `${name} has not taken entries up to ${until} yet, and may hold them in clear: ask again when it has`,
      );
    return behind.length === 0 ? 0 : 1;
  } finally {
    await reader.close();
  }
}

interface Done {
  readonly subject: string;
  readonly entry: number;
  readonly entries: number;
  readonly events: number;
  readonly key: boolean;
  readonly blobs: number;
  readonly documents: number | undefined;
}

function print({ subject, entry, entries, events, key, blobs, documents }: Done): void {
  console.log(`recorded     entry ${entry}, person ${subject}`);
  console.log(
    `key          ${key ? "destroyed" : "was gone before"}: ${entries} entries hold what nobody can read any more`,
  );
  console.log(`blobs        ${blobs} removed`);
  console.log(`store        ${events} events: their rows go while the collector runs`);
  if (documents !== undefined) console.log(`documents    ${documents} deleted`);
}

async function deleteAt(
  { engine, options }: ReturnType<typeof serverOf>,
  ids: readonly string[],
): Promise<number> {
  const server = await connect(engine, options);
  try {
    return await deleteDocuments(server, ids, AbortSignal.timeout(DELETE_MS));
  } finally {
    await server.close();
  }
}
