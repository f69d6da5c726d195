// What holds for every command: help, usage errors (2), errors of the world (3), and a reader that goes away.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/commands/index.ts";
import { VERSION } from "../../src/version.ts";
import { configure, ended, newHome, start, tapline } from "./tapline.ts";

const home = newHome();

test.each(Object.keys(COMMANDS))("%s --help and -h show its usage and options", async (name) => {
  for (const option of ["--help", "-h"]) {
    const { code, stdout, stderr } = await tapline(home, [name, option]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^usage: tapline ${name}`));
  }
});

test("the list of commands, and the version", async () => {
  for (const args of [[], ["help"], ["--help"], ["-h"]]) {
    const { code, stdout } = await tapline(home, args);
    expect(code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toContain(`  ${name} `);
  }
  expect((await tapline(home, ["--version"])).stdout).toBe(`${VERSION}\n`);
});

test("an event's id that begins with a dash is not taken for an option", async () => {
  const id = "-Axn_G3GzrNJtHWFBL3i65-1jo-0";
  const wrong = await tapline(home, ["rules", "explain", "no such rule", id]);
  expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('"no such rule"')]);
  const option = await tapline(home, ["rules", "explain", "no such rule", id, "--bogus"]);
  expect([option.code, option.stderr]).toEqual([2, expect.stringContaining("--bogus")]);
});

test.each([
  [["nonsense"], 'no command "nonsense": there are run, scan, '],
  [["constructor"], 'no command "constructor"'],
  [["__proto__"], 'no command "__proto__"'],
  [["run", "--bogus"], "--bogus"],
  [["scan"], "name a file"],
  [["scan", "x", "--out", "nothing"], "--out takes"],
  [["check", "extra"], "extra"],
  [["status", "extra"], "extra"],
  [["ledger"], "say what: verify, prove, show, reconcile, signer, keygen, serve"],
  [["ledger", "verfy"], 'no subcommand "verfy": there are verify, prove, '],
  [["ledger", "constructor"], 'no subcommand "constructor"'],
  [["ledger", "prove"], "name one event"],
  [["report", "soa"], "soa init, soa export, soa import"],
  [["dlq"], "list or replay"],
  [["ledger", "reconcile", "--sink", "x"], "which has: none; -c FILE names another"],
  [["replay", "--sink", "x", "--from", "0"], "which has: none; -c FILE names another"],
  [["setup"], "name the engine"],
  [["setup", "mongodb"], "name the engine"],
  [["setup", "opensearch"], "--url"],
  [["setup", "opensearch", "--url", "nonsense"], "an http or https URL"],
  [["setup", "opensearch", "--url", "http://a:b@127.0.0.1"], "without user and password"],
  [["setup", "opensearch", "--print", "--retention-days", "x"], "whole number"],
])("%j is a usage error: the message and where the options are told, exit code 2", async (args, message) => {
  const { code, stdout, stderr } = await tapline(home, args);
  const [said, where, ...more] = stderr.split("\n");
  expect([code, stdout, said!.includes(message), more], stderr).toEqual([2, "", true, [""]]);
  expect(where).toMatch(
    /^ {2}(tapline( [a-z]+)? --help (shows the options|says what each does)|remedy: .*)$/,
  );
});

test("a configuration that is wrong is exit code 2 for every command that reads one", async () => {
  const config = join(home, "wrong.yml");
  writeFileSync(config, "workrs: 1\n");
  const commands = [
    ["run", "--once"],
    ["status"],
    ["dlq", "list"],
    ["ledger", "verify"],
    ["setup", "opensearch"],
  ];
  for (const args of [...commands, ["replay", "--sink", "x", "--from", "0"]]) {
    const { code, stderr } = await tapline(home, [...args, "-c", config]);
    expect([code, stderr.includes('did you mean "workers"')], args.join(" ")).toEqual([2, true]);
  }
});

test("errors of the world are exit code 3, with a remedy and no stack", async () => {
  const config = configure(home, { sinks: { n: { type: "null" } } });
  for (const args of [
    ["run", "-c", join(home, "none.yml")],
    ["run", "--once", join(home, "none")],
    ["scan", join(home, "none.jsonl")],
    ["status", "-c", config],
    ["ledger", "verify", join(home, "none")],
    ["setup", "opensearch", "--url", "http://127.0.0.1:1"],
    ["setup", "elasticsearch", "--url", "http://127.0.0.1:1"],
  ]) {
    const { code, stderr } = await tapline(home, args);
    expect([code, /^ +at /m.test(stderr)], `${args.join(" ")}\n${stderr}`).toEqual([3, false]);
    expect(stderr, args.join(" ")).toMatch(/^tapline \w+: ./);
  }
});

test.each(["opensearch", "elasticsearch"])(
  "setup %s --print shows requests that parse, and sends nothing",
  async (engine) => {
    const { code, stdout } = await tapline(home, ["setup", engine, "--print", "--retention-days", "17"]);
    expect(code).toBe(0);
    const parts = stdout.split(/^# .*$/m).slice(1);
    const dashboards = parts.pop()!.trimStart().split("\n");
    expect(dashboards[0]).toMatch(/^POST \/api\/saved_objects\/_import/);
    expect(existsSync(dashboards[1]!), dashboards[1]).toBe(true);
    expect(parts.length).toBeGreaterThanOrEqual(2);
    for (const part of parts) {
      const [, path, body] = /^\n(?:PUT|POST) (\S+)\n([\s\S]+)$/.exec(part)!;
      expect(path).toMatch(/^\//);
      expect(Object.keys(JSON.parse(body!) as object).length).toBeGreaterThan(0);
    }
    expect(stdout).toContain("/_index_template/logs-tapline");
    expect(stdout).toContain("17d");
    const json = await tapline(home, ["setup", engine, "--print", "--json", "--retention-days", "17"]);
    const listed = JSON.parse(json.stdout) as { method: string; path: string; body: unknown }[];
    expect(listed.map(({ method, path }) => `${method} ${path}`)).toEqual(
      stdout.match(/^(?:PUT|POST) \S+/gm),
    );
  },
);

test("a reader that goes away: no message, no stack, and a collector stops cleanly", async () => {
  const printing = start(home, "setup", "opensearch", "--print");
  printing.stdout!.destroy();
  expect(await ended(printing)).toMatchObject({ code: 0, stderr: "" });
  const config = configure(home, {
    sources: { sample: { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] } },
    sinks: { n: { type: "null" } },
  });
  const collector = start(home, "run", "-c", config);
  collector.stdout!.once("data", () => collector.stdout!.destroy());
  expect(await ended(collector)).toMatchObject({ code: 0, stderr: "" });
  await sleep(0);
  const { code, stdout } = await tapline(home, ["status", "-c", config, "--json"]);
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { running: false, problems: [] }]);
});
