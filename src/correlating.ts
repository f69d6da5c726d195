// Correlations beside the data path: what they find becomes entries of the frame that made them find it, and the
// console hears of alerts. Decides nothing; see detect/correlate-thread.ts.
import type { Arrival } from "./detect/correlate.ts";
import type { ExtractBatch } from "./detect/correlate-extract.ts";
import type {
  Correlated,
  CorrelationHeader,
  Correlations,
  CorrelationsState,
} from "./detect/correlate-thread.ts";
import { type AlertNote, noteOf } from "./engine.ts";
import type { SelfRecorder } from "./self.ts";

/** What a frame has to keep, and how many alerts went into it. */
interface Told {
  readonly alerts: number;
  readonly header: CorrelationHeader | undefined;
}

export class Correlating {
  #correlations: Correlations;
  readonly #self: SelfRecorder;
  readonly #onAlert: (alert: AlertNote) => void;

  constructor(correlations: Correlations, self: SelfRecorder, onAlert: (alert: AlertNote) => void) {
    this.#correlations = correlations;
    this.#self = self;
    this.#onAlert = onAlert;
  }

  /** Takes in the extracts of a batch; the alerts wait in the recorder for the batch's frame. */
  push(extracts: ExtractBatch, arrival: Arrival): Told {
    return this.#record(this.#correlations.push(extracts, arrival), arrival.now_ms);
  }

  /** Windows end by the clock too, when nothing comes. */
  advance(now_ms: number, caught_up: boolean): Told {
    return this.#record(this.#correlations.advance(now_ms, caught_up), now_ms);
  }

  /** Goes on with other rules; `open` gets the state to go on from. */
  use(open: (state: CorrelationsState) => Correlations): void {
    this.#correlations = open(this.#correlations.state());
  }

  state(): CorrelationsState {
    return this.#correlations.state();
  }

  #record({ events, header }: Correlated, now_ms: number): Told {
    let alerts = 0;
    for (const e of events) {
      this.#self.write(e);
      if (e["event.action"] !== "rule-alert") continue;
      alerts++;
      this.#onAlert(noteOf(e));
    }
    for (const { title, keys, rows } of this.#correlations.evictions(now_ms)) {
      this.#self.add("gap", `${title}: ${keys} keys and ${rows} events of open windows had to go`, (e) => {
        e["tapline.gap.reason"] = "evicted";
        e["rule.name"] = title;
        e["event.outcome"] = "failure";
      });
    }
    return { alerts, header };
  }
}
