// Which rungs of the ladder of trust are in force, in words: what of the ledger is held where, and what follows from it.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { AnchorStatus } from "./anchoring.ts";
import { systemCode } from "./core/errors.ts";
import { n } from "./core/words.ts";
import type { SignerStatus } from "./ledger/contract.ts";
import { CHECKPOINT } from "./ledger/paths.ts";

export interface Held {
  /** Entries in the ledger, and how many its own checkpoint covers. */
  readonly entries: number;
  readonly size: number;
  /** Age of the checkpoint; undefined when there is none. */
  readonly age_s: number | undefined;
  readonly anchors: readonly AnchorStatus[];
  /** Who signs, when the key is not beside the ledger. */
  readonly signer?: Pick<SignerStatus, "place"> | undefined;
  /** Whether the signer runs as the user of the collector; undefined when that is not known. */
  readonly own_signer?: boolean | undefined;
}

/** Age of the ledger's last checkpoint, by its file, s; undefined when there is none. */
export async function checkpointAge(state_dir: string, now_ms: number): Promise<number | undefined> {
  try {
    const { mtimeMs } = await stat(join(state_dir, "ledger", CHECKPOINT));
    return Math.max(0, Math.round((now_ms - Math.floor(mtimeMs)) / 1_000));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a signer's socket belongs to the user of the collector, who wrote the ledger; undefined when it is not there. */
export async function ownSigner(place: string | undefined): Promise<boolean | undefined> {
  if (place === undefined) return undefined;
  const socket = await stat(place).catch(() => undefined);
  return socket === undefined ? undefined : socket.uid === process.getuid?.();
}

function spanOf(s: number): string {
  if (s < 120) return `${s} s`;
  return s < 7_200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3_600)} h`;
}

const INDEXED =
  "changing or cutting them is told by comparing with it, as long as its credential here can only add";
/** What each kind of anchor adds, when somebody checks against it. */
const PROMISES: Readonly<Record<string, string>> = {
  directory:
    "changing or cutting them is told by comparing with it, as far as that place keeps what it is given",
  elasticsearch: INDEXED,
  email: "changing or cutting them is told by comparing with it, by whoever has the mail",
  git: "changing or cutting them is told by comparing with it, by whoever has fetched",
  opensearch: INDEXED,
  s3: "changing or cutting them is told by comparing with it, and nobody can take it away before the lock ends",
  timestamp: "they existed then: a history made up later has no such stamp",
  witness: "who has the key cannot have another history cosigned, nor a shorter one",
};

/** The sentences of `tapline status`. */
export function integrityOf(held: Held, now_ms: number): string[] {
  const { entries, size, age_s, anchors } = held;
  if (age_s === undefined || size === 0)
    return ["no checkpoint yet: nothing covers the entries but the checksums of their frames"];
  const open = entries - size;
  const next = open === 0 ? "all of them" : `${n(size)} of them, ${n(open)} await the next`;
  const key = `${signedBy(held)} signed a checkpoint ${spanOf(age_s)} ago over ${next}: ${signerPromise(held)}`;
  const taken = anchors.filter((anchor) => anchor.size > 0);
  const kinds = new Set(taken.map(({ type }) => type));
  const lines = taken.map(
    ({ name, type, size: there, at_ms, said }) =>
      `${name}: the first ${n(there)} entries ${said}, ${spanOf(Math.max(0, Math.round((now_ms - at_ms) / 1_000)))} ago: ${PROMISES[type]}`,
  );
  if (kinds.has("witness")) return [key, ...lines];
  const without =
    kinds.size === 0
      ? "no witness is configured, so against who has it only copies of checkpoints kept elsewhere help"
      : "no witness is configured: who has the key is caught only by comparing with what is named here";
  return kinds.size === 0 ? [`${key}; ${without}`] : [key, ...lines, without];
}

function signedBy({ signer }: Held): string {
  return signer === undefined ? "the key of this host" : `the signer at ${signer.place}`;
}

function signerPromise({ signer, own_signer }: Held): string {
  const lacks = "changes by who lacks the key are detected";
  if (signer === undefined) return lacks;
  if (own_signer === true)
    return `${lacks}; it runs as the collector's own user, who can take its key: run it as another`;
  return `${lacks}, and who has this collector's user has no key and gets no other history signed, nor a shorter one; who has the signer's user has both`;
}

/** What is wrong with the signer, for the list of problems. */
export function signerProblems(signer: SignerStatus | undefined): string[] {
  if (signer?.contradiction !== undefined)
    return [
      `NOTHING IS SIGNED ANY MORE: ${signer.contradiction}. Find out what happened to the ledger; then who keeps the signer can have it begin anew by removing its signed.json`,
    ];
  return signer?.trouble === undefined ? [] : [signer.trouble];
}

/** What is wrong with anchors, for the list of problems. */
export function anchorProblems(anchors: readonly AnchorStatus[]): string[] {
  return anchors.flatMap(({ name, contradiction, trouble }) => {
    if (contradiction !== undefined)
      return [
        `NOTHING IS SIGNED ANY MORE: ${name}: ${contradiction}. Find out what happened to the ledger; then remove anchors/${name}.json and start again`,
      ];
    return trouble === undefined ? [] : [`anchor ${name}: ${trouble}`];
  });
}
