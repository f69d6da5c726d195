// The disk refuses one call of the real collector, or all like it from then on: no space, an I/O error, read-only, over
// quota; at its log, tiles, checkpoint, snapshot, keys, cursors, dead letters and the file of a sink. It ends with a reason
// or goes on; once the disk is well again everything is everywhere once. Sampled in CI, all with TAPLINE_FULL=1.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Bench, type Point, whyNot } from "./inject.ts";
import { randomOf } from "../random.ts";

const FULL = process.env["TAPLINE_FULL"] === "1";
const SEED = Number(process.env["TAPLINE_SEED"] ?? (FULL ? Date.now() % 1_000_000 : 3));
const reason = whyNot();
if (reason !== undefined) console.warn(`skipping errors of the disk: ${reason}`);

const ERRORS: Record<string, readonly string[]> = {
  write: ["ENOSPC", "EIO", "EDQUOT"],
  writev: ["ENOSPC", "EIO", "EDQUOT"],
  fdatasync: ["EIO", "ENOSPC"],
  fsync: ["EIO"],
  rename: ["EIO", "ENOSPC", "EROFS"],
  mkdir: ["ENOSPC", "EROFS"],
  link: ["ENOSPC", "EROFS"],
  unlink: ["EROFS", "EIO"],
  rmdir: ["EROFS"],
};
/** What the rows of the matrix name, by what is in the path. */
const PLACES = ["/wal/", "/tile/", "/checkpoint", "/snapshots", "/keys/", "/cursors", "/dlq/", "/out/"];

describe.skipIf(reason !== undefined)("a disk that refuses", () => {
  let bench: Bench;
  let points: readonly Point[];
  beforeAll(async () => {
    bench = await Bench.open();
    bench.append(300);
    bench.keep();
    // Names that have chance in them cannot be chosen beforehand.
    points = (await bench.points()).filter(
      ({ path, call }) => !path.includes("lock") && ERRORS[call] !== undefined,
    );
    await bench.check();
  });
  afterAll(() => bench.close());

  const random = randomOf(SEED);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

  test.each(PLACES)(
    `at %s it ends with a reason or goes on, and nothing is lost (seed ${SEED})`,
    async (place) => {
      const here = points.filter(({ path }) => path.includes(place));
      expect(here.length).toBeGreaterThan(0);
      let ended = 0;
      for (const { call, path, on_path } of FULL ? here : [pick(here)]) {
        bench.restore();
        const error = pick(ERRORS[call]!);
        const lasting = random() < 0.3 ? "+" : "";
        const inject = `inject=${call}:error=${error}:when=${on_path}${lasting}`;
        const where = `${error} at ${call} number ${on_path}${lasting} of ${path}`;
        const first = await bench.traced("-o", "/dev/null", "-P", path, "-e", `trace=${call}`, "-e", inject);
        expect(first.signal, where).toBeNull();
        if (first.code !== 0) {
          ended++;
          expect(first.code, `${where}: ${first.stderr}`).toBe(3);
          expect(first.stderr, where).toMatch(/^tapline run: .*\n {2}remedy: |"msg":"\w+: cannot /m);
        }
        expect(first.stderr, `${where}: no stack for the user`).not.toMatch(/\n\s+at /);
        const saved = bench.savedCheckpoint();
        const next = await bench.run();
        expect([next.code, next.stderr], where).toEqual([0, ""]);
        await bench.check(saved).catch((cause: unknown) => {
          throw new Error(where, { cause });
        });
      }
      console.log(
        `${place}: ${FULL ? here.length : 1} of ${here.length} calls refused, ${ended} ended the run`,
      );
    },
    FULL ? 3_600_000 : 240_000,
  );

  // Nothing runs yet that would end what is open: a process that stays then collects nothing, and nobody starts another.
  test.each([
    ["writev", "/wal/"],
    ["mkdir", "/cursors"],
  ])(
    "refused %s at %s before anything runs, it ends",
    async (call, place) => {
      bench.restore();
      const { path } = points.find((point) => point.call === call && point.path.includes(place))!;
      const inject = `inject=${call}:error=EIO:when=1+`;
      const first = await bench.traced("-o", "/dev/null", "-P", path, "-e", `trace=${call}`, "-e", inject);
      expect([first.code, first.stderr]).toEqual([
        3,
        expect.stringMatching(/^tapline run: .*\n {2}remedy: /m),
      ]);
      expect((await bench.run()).code).toBe(0);
      await bench.check();
    },
    240_000,
  );
});
