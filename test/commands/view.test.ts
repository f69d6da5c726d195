// `tapline view`: nothing recorded is told in words; where no collector runs it serves, and says until when.
import { join } from "node:path";
import { expect, test } from "vitest";
import { configure, ended, newHome, start, tapline } from "./tapline.ts";

test("a viewer where nothing was recorded: which ledger is missing, and what to name", async () => {
  const home = newHome();
  const config = configure(home, {});
  const { code, stdout, stderr } = await tapline(home, ["view", "-c", config]);
  expect([code, stdout, stderr]).toEqual([
    3,
    "",
    `tapline view: ${join(home, "state", "ledger")} does not exist\n` +
      "  remedy: name the configuration of a collector that has run: -c FILE\n",
  ]);
});

test("without a collector it serves until it is stopped, and says so beside the link", async () => {
  const home = newHome();
  const config = configure(home, {
    sources: { sample: { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] } },
    sinks: { local: { type: "store" } },
  });
  expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  const viewer = start(home, "view", "-c", config);
  viewer.stderr!.once("data", () => viewer.kill("SIGINT"));
  const { code, stdout, stderr } = await ended(viewer);
  expect([code, stdout, stderr]).toEqual([
    0,
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/open\?token=\S+\n$/),
    "serving     until Ctrl-C: no collector runs, so what is done waits for one to be recorded\n",
  ]);
});
