// The real collector, killed at the boundaries of its own system calls, one boundary a run, on its first start and on one
// that finds a ledger: the next run goes on, and everything is everywhere once. Sampled in CI, all with TAPLINE_FULL=1.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Bench, type Point, whyNot } from "./inject.ts";
import { randomOf } from "../random.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const SEED = Number(process.env["TAPLINE_SEED"] ?? (FULL ? Date.now() % 1_000_000 : 7));
const SAMPLES = 3;
const reason = whyNot();
if (reason !== undefined) console.warn(`skipping kills at system calls: ${reason}`);

describe.skipIf(reason !== undefined).each(["its first start", "a start that finds a ledger"])(
  "on %s",
  (start) => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await Bench.open();
      if (start !== "its first start") {
        bench.append(300);
        expect((await bench.run()).code).toBe(0);
      }
      bench.append(280);
      bench.keep();
    });
    afterAll(() => bench.close());

    test(
      `killed at any of its calls that change the disk, it goes on (seed ${SEED})`,
      async () => {
        const all = await bench.points();
        await bench.check();
        const key = ({ call, in_thread }: Point): string => `${call}:${in_thread}`;
        const points = [...new Map(all.map((point) => [key(point), point])).values()];
        expect(points.length).toBeGreaterThan(60);
        const random = randomOf(SEED + start.length);
        const chosen = FULL
          ? points
          : Array.from({ length: SAMPLES }, () => points[Math.floor(random() * points.length)]!);
        let killed = 0;
        for (const point of chosen) {
          bench.restore();
          const inject = `inject=${point.call}:signal=SIGKILL:when=${point.in_thread}`;
          const { signal } = await bench.traced("-o", "/dev/null", "-e", `trace=${point.call}`, "-e", inject);
          if (signal === "SIGKILL") killed++;
          const saved = bench.savedCheckpoint();
          bench.proxy.truth!.rollover();
          const next = await bench.run();
          const where = `killed at ${point.call} number ${point.in_thread}, about ${point.path}`;
          expect([next.code, next.stderr], where).toEqual([0, ""]);
          await bench.check(saved).catch((cause: unknown) => {
            throw new Error(where, { cause });
          });
        }
        expect(
          killed,
          "a thread may make fewer calls than when they were counted, but not often",
        ).toBeGreaterThan(chosen.length / 2);
        console.log(`${killed} kills at ${chosen.length} of ${points.length} places, ${start}, seed ${SEED}`);
      },
      FULL ? 7_200_000 : 300_000,
    );
  },
);
