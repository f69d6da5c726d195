// A batch on its way to brokers that refuse, lose and answer late: whatever they say of which attempt, every entry gets
// one fate, what was acknowledged is never sent again, and only what is refused alone is a dead letter.
import fc from "fast-check";
import { expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import type { WriteResult } from "../../src/core/stage.ts";
import type { Producer } from "../../src/kafka/client.ts";
import { encoderOf } from "../../src/sinks/kafka-encode.ts";
import { Sending } from "../../src/sinks/kafka-sending.ts";
import { series } from "./batches.ts";

const never = new AbortController().signal;
type Answer = "ok" | "lost" | "refused";
const TEXT = { lost: "Local: Message timed out", refused: "Broker: Message size too large" };

/** Brokers that answer each message by a script, and then take everything but those that are `bad`. */
class Brokers {
  readonly taken: string[] = [];
  readonly sent: string[] = [];
  /** Sent although it was acknowledged before. */
  readonly again: string[] = [];
  readonly #acknowledged = new Set<string>();
  sending!: Sending;
  readonly #script: Answer[];
  readonly #bad: ReadonlySet<number>;

  constructor(script: readonly Answer[], bad: ReadonlySet<number>) {
    this.#script = [...script];
    this.#bad = bad;
  }

  get producer(): Producer {
    const produce: Producer["produce"] = (_topic, _partition, _value, _key, _time, opaque, headers) => {
      const id = headers.find((one) => "tapline-id" in one)!["tapline-id"]!;
      this.sent.push(id);
      if (this.#acknowledged.has(id)) this.again.push(id);
      const place = opaque % 65_536;
      const wanted = this.#script.shift() ?? "ok";
      const answer = this.#bad.has(place) && wanted === "ok" ? "refused" : wanted;
      // What is lost may have arrived all the same.
      if (answer === "ok" || (answer === "lost" && place % 2 === 0)) this.taken.push(id);
      if (answer === "ok") this.#acknowledged.add(id);
      const error = answer === "ok" ? null : { message: TEXT[answer], code: -1 };
      queueMicrotask(() => this.sending.report(error, opaque));
    };
    return { produce } as Producer;
  }
}

test("every entry gets one fate, whatever the brokers answer", async () => {
  const encoder = await encoderOf({ encoding: "json", topic: "t" }, "tapline/test");
  const answers = fc.array(fc.constantFrom<Answer>("ok", "ok", "lost", "refused"), { maxLength: 60 });
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(answers, numbers, async (script, bad) => {
      const batch = series("s", 20, 100);
      const brokers = new Brokers(script, new Set(bad));
      const sending = (brokers.sending = new Sending(batch, "t"));
      let result: WriteResult | undefined;
      for (let attempt = 1; result === undefined; attempt++) {
        const before = brokers.sent.length;
        try {
          result = await sending.attempt(brokers.producer, encoder, attempt, never);
        } catch (error) {
          expect(error).toBeInstanceOf(TaplineError);
          expect((error as TaplineError).retry).toBe(true);
        }
        expect(sending.takeSent()).toBe(brokers.sent.length - before);
      }
      expect(brokers.again).toEqual([]);
      const dead = result.dead.map(({ index }) => index - 100);
      expect(result.created + dead.length).toBe(20);
      for (const place of bad) expect(dead).toContain(place);
      for (const { id, status } of result.dead) {
        expect(status).toBe(400);
        expect(brokers.sent.filter((one) => one === id).length).toBeGreaterThan(1);
      }
      const taken = new Set(brokers.taken);
      for (let place = 0; place < 20; place++)
        if (!dead.includes(place)) expect(taken.has(`s-${String(100 + place).padStart(8, "0")}`)).toBe(true);
    }),
  );
});

test("a stop ends an attempt that waits, and a late report is not taken for the next one's", async () => {
  const encoder = await encoderOf({ encoding: "json", topic: "t" }, "tapline/test");
  const opaques: number[] = [];
  const producer = { produce: (...call: unknown[]) => void opaques.push(call[5] as number) };
  const sending = new Sending(series("s", 2), "t");
  const stop = new AbortController();
  const cut = sending.attempt(producer as unknown as Producer, encoder, 1, stop.signal);
  stop.abort();
  await expect(cut).rejects.toMatchObject({ code: "SINK_STOPPED", retry: true });
  const again = sending.attempt(producer as unknown as Producer, encoder, 2, never);
  for (const opaque of opaques) sending.report(null, opaque);
  expect(await again).toEqual({ created: 2, existing: 0, dead: [], filtered: 0 });
});
