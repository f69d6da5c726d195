// Capture levels: what is dropped appears nowhere in the document, what is kept is kept, and the event says which.
import { describe, expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { type Event, newEvent, serialise } from "../../src/core/generated/event.ts";
import type { Capture, CaptureLevel } from "../../src/core/stage.ts";
import { applyCapture } from "../../src/normalise/capture.ts";
import { enrich } from "../../src/normalise/enrich.ts";

const digest = createDigest("k");
const plain: Capture = { arguments: "redacted", results: "redacted", messages: "redacted", identity: "full" };

function event(): Event {
  const e = Object.assign(newEvent(), {
    "gen_ai.tool.name": "Bash",
    "gen_ai.tool.call.arguments": { command: "ARGUMENT", list: ["ARGUMENT"], ARGUMENT: 1 },
    "process.command_line": "run ARGUMENT",
    "url.full": "https://host.example/ARGUMENT",
    "file.path": "/ARGUMENT",
    "mcp.resource.uri": "file:///ARGUMENT",
    "tapline.permission.rule": "Bash(ARGUMENT)",
    "tapline.data.query": "SELECT ARGUMENT",
    "tapline.data.targets": ["/ARGUMENT/a", "/ARGUMENT/b"],
    "gen_ai.tool.call.result": { text: "RESULT" },
    "error.message": "RESULT",
    "gen_ai.input.messages": { text: "MESSAGE" },
    "gen_ai.output.messages": { text: "MESSAGE" },
    "gen_ai.system_instructions": { text: "MESSAGE" },
    message: "ARGUMENT RESULT MESSAGE",
    "event.original": "ARGUMENT RESULT MESSAGE",
    "tapline.ext": { a: "ARGUMENT RESULT MESSAGE" },
    "tapline.tool.args_hash": "aa",
    "tapline.tool.result_hash": "bb",
    "user.id": "42",
    "user.name": "ana",
    "user.email": "ana@example.com",
    "user.effective.name": "bob",
  });
  enrich(e, 0);
  return e;
}

function captured(capture: Partial<Capture>): Event {
  const e = event();
  applyCapture(e, { ...plain, ...capture }, digest);
  return e;
}

const classes = { arguments: "ARGUMENT", results: "RESULT", messages: "MESSAGE" } as const;
describe.each(Object.keys(classes) as (keyof typeof classes)[])("%s", (name) => {
  test.each(["metadata", "hashed"] as const)("%s lets nothing through", (level) => {
    const e = captured({ [name]: level });
    const text = serialise(e);
    expect(text).not.toContain(classes[name]);
    for (const other of Object.keys(classes) as (keyof typeof classes)[]) {
      if (other !== name) expect(text).toContain(classes[other]);
    }
    expect(e[`tapline.capture.${name}`]).toBe(level);
    expect(e["tapline.data.bytes_out"]).toBeGreaterThan(0);
  });
  test.each(["redacted", "full"] as const)("%s keeps all", (level) => {
    const before = serialise(event());
    const e = captured({ [name]: level });
    for (const field of ["arguments", "results", "messages", "identity"] as const)
      e[`tapline.capture.${field}`] = undefined;
    expect(serialise(e)).toBe(before);
  });
});

test("hashed content is comparable, metadata has no hash", () => {
  const [a, b] = [captured({ arguments: "hashed" }), captured({ arguments: "hashed" })];
  expect(a["gen_ai.tool.call.arguments"]).toEqual(b["gen_ai.tool.call.arguments"]);
  expect(a["gen_ai.tool.call.arguments"]).toEqual({
    digest: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  });
  expect(a["file.path"]).toMatch(/^digest:[0-9a-f]{32}$/);
  expect(a["tapline.tool.args_hash"]).toBe("aa");
  const c = captured({ arguments: "metadata", results: "metadata" });
  expect([c["tapline.tool.args_hash"], c["tapline.tool.result_hash"], c["file.path"]]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("levels of all classes at once", () => {
  for (const level of ["metadata", "hashed"] as CaptureLevel[]) {
    const text = serialise(captured({ arguments: level, results: level, messages: level }));
    expect(text).not.toMatch(/ARGUMENT|RESULT|MESSAGE/);
    expect(text).toContain("host.example");
  }
});

test("pseudonyms are keyed, equal for equal people, and reveal nobody", () => {
  const e = captured({ identity: "pseudonym" });
  expect(serialise(e)).not.toMatch(/ana|bob|"42"/);
  expect(e["user.name"]).toBe(`p:${digest("ana").slice(0, 16)}`);
  expect(e["tapline.capture.identity"]).toBe("pseudonym");
});

test("sealed without a sealer is a pseudonym, and says so", () => {
  const e = captured({ identity: "sealed" });
  expect(serialise(e)).not.toMatch(/ana|bob|"42"/);
  expect(e["tapline.capture.identity"]).toBe("pseudonym");
});
