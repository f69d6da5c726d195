// Writes what passes the chokepoint as lines of the format `mcp`: the message as it came, who sent it to whom, what was
// decided. When the spool cannot be written it says so once, counts what is missing, and tells that when it can again.
import { reasonOf } from "../core/errors.ts";
import type { DecisionRecord } from "../policy/contract.ts";
import type { SpoolWriter } from "./spool-writer.ts";

export type Direction = "c2s" | "s2c";

/** Fields of a notice beside its type. */
export interface Notice {
  readonly type: "start" | "stop" | "violation" | "hidden" | "quarantined" | "unrecorded";
  readonly reason: string;
  readonly error?: string | undefined;
  readonly method?: string | undefined;
  readonly tool?: string | undefined;
  readonly tools?: readonly string[] | undefined;
  readonly definition?: string | undefined;
  readonly action?: "pass" | "block" | undefined;
  readonly mode?: string | undefined;
  readonly rule?: string | undefined;
  readonly policy?: string | undefined;
  readonly exit_code?: number | undefined;
  readonly details?: object | undefined;
}

export interface Ends {
  readonly conn: string;
  readonly server: object;
  readonly client: object;
  readonly user: string | undefined;
  readonly agent: string | undefined;
}

/** The part of a line that is the same for all of a connection. */
export function envelopeOf(ends: Ends): string {
  return JSON.stringify(ends).slice(1, -1);
}

type Spool = Pick<SpoolWriter, "append" | "end">;

export class Recorder {
  readonly #open: () => Spool;
  #spool: Spool | undefined;
  readonly #warn: (message: string) => void;
  #lost = 0;

  /** `open` is called again until it does not throw. */
  constructor(open: () => Spool, warn: (message: string) => void) {
    this.#open = open;
    this.#warn = warn;
  }

  /** Records a message. Returns why it could not be recorded, undefined when it is. */
  message(
    envelope: string,
    dir: Direction,
    raw: string,
    decision?: DecisionRecord,
    definition?: string,
  ): string | undefined {
    const decided = decision === undefined ? "" : `"decision":${JSON.stringify(decision)},`;
    const hash = definition === undefined ? "" : `"definition":"${definition}",`;
    return this.#write(
      `{"ts":"${now()}","dir":"${dir}",${envelope},${decided}${hash}"msg":${raw}}`,
      envelope,
    );
  }

  notice(envelope: string, dir: Direction, notice: Notice): string | undefined {
    return this.#write(noticeText(envelope, dir, notice), envelope);
  }

  /** The last record. */
  end(envelope: string, notice: Notice): void {
    try {
      const spool = (this.#spool ??= this.#open());
      if (this.#lost > 0) this.#tellLost(spool, envelope);
      spool.end(noticeText(envelope, "c2s", notice));
    } catch (error) {
      this.#warn(`the last record could not be written: ${reasonOf(error)}`);
    }
  }

  #write(record: string, envelope: string): string | undefined {
    try {
      const spool = (this.#spool ??= this.#open());
      if (this.#lost > 0) this.#tellLost(spool, envelope);
      spool.append(record);
      return undefined;
    } catch (error) {
      const why = reasonOf(error);
      if (this.#lost++ === 0) this.#warn(`${why}; what is enforced is refused, all else passes unrecorded`);
      return why;
    }
  }

  #tellLost(spool: Spool, envelope: string): void {
    const reason = `${this.#lost} records could not be written`;
    spool.append(noticeText(envelope, "c2s", { type: "unrecorded", reason }));
    this.#warn(`records are written again; ${this.#lost} are missing`);
    this.#lost = 0;
  }
}

function now(): string {
  return new Date().toISOString();
}

function noticeText(envelope: string, dir: Direction, notice: Notice): string {
  return `{"ts":"${now()}","dir":"${dir}",${envelope},"notice":${JSON.stringify(notice)}}`;
}
