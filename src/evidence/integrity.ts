// What stands behind the ledger when a report is made: its checkpoints, who cosigned, which rungs of trust are in force, and how
// much of the period they do not cover yet.
import { type AnchorStatus, readAnchors } from "../anchoring.ts";
import type { Config } from "../config.ts";
import { checkpointAge, integrityOf, ownSigner } from "../integrity.ts";
import { cosignaturesOf } from "../ledger/cosignature.ts";
import { verifierText } from "../ledger/note.ts";
import type { Prover } from "../ledger/prove.ts";
import { isoOf } from "../viewer/times.ts";
import type { Asked } from "./asked.ts";
import { witnessesOf } from "./kept.ts";
import type { Integrity } from "./model.ts";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

export async function integrity(
  config: Config,
  asked: Asked,
  prover: Prover,
  older: number,
  now_ms: number,
): Promise<Integrity> {
  const { own, cosigned } = prover;
  const witnesses = witnessesOf(config).map(({ witness }) => witness);
  const by = cosigned === undefined ? [] : cosignaturesOf(cosigned.text, cosigned, witnesses);
  const covered = Math.max(own?.size ?? 0, cosigned?.size ?? 0);
  const newest = cosigned !== undefined && cosigned.size === covered ? cosigned : own;
  const uncovered = (size: number): Promise<number> =>
    asked.number("count(*)", `"event.sequence" >= ${size}`);
  return {
    origin: prover.verifier.name,
    vkey: verifierText(prover.verifier),
    earlier: (prover.verifier.earlier ?? []).map(verifierText),
    entries: asked.end,
    covered,
    root: newest === undefined ? "" : base64(newest.root),
    cosigned:
      cosigned === undefined || by.length === 0
        ? null
        : {
            size: cosigned.size,
            root: base64(cosigned.root),
            by: by.map(({ witness, at_s }) => ({ witness, at: isoOf(at_s * 1_000) })),
          },
    rungs: await rungsOf(config, asked.end, own?.size ?? 0, now_ms),
    open: await uncovered(covered),
    unwitnessed: by.length === 0 ? await uncovered(0) : await uncovered(cosigned!.size),
    older,
  };
}

async function rungsOf(config: Config, entries: number, size: number, now_ms: number): Promise<string[]> {
  const { anchor_states } = await readAnchors(config);
  const anchors: AnchorStatus[] = [...anchor_states].map(([name, state]) => {
    const { type } = (config.anchors as Record<string, { type: string }>)[name]!;
    return { ...state, name, type, trouble: undefined };
  });
  const age_s = await checkpointAge(config.state_dir, now_ms);
  const { signer: place } = config.ledger;
  const signing = { signer: place === undefined ? undefined : { place }, own_signer: await ownSigner(place) };
  return integrityOf({ entries, size, age_s, anchors, ...signing }, now_ms);
}
