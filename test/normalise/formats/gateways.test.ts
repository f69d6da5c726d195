// Logs of gateways and of Claude Desktop: golden events from their lines, recognised from content, and what a line does
// not say is not claimed.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { agentgateway } from "../../../src/normalise/formats/agentgateway.ts";
import { claudeDesktop } from "../../../src/normalise/formats/claude-desktop.ts";
import { contextforge } from "../../../src/normalise/formats/contextforge.ts";
import { dockerMcp } from "../../../src/normalise/formats/docker-mcp.ts";
import { kuadrant } from "../../../src/normalise/formats/kuadrant.ts";
import { probe } from "../../../src/normalise/probe.ts";
import { golden, mapRecords } from "../harness.ts";
import { fuzz } from "./fuzz.ts";

const CASES = [
  { format: agentgateway, file: "requests.log" },
  { format: claudeDesktop, file: "mcp-server-files.log" },
  { format: contextforge, file: "events.jsonl" },
  { format: dockerMcp, file: "calls.log" },
  { format: kuadrant, file: "access.jsonl" },
].map(({ format, file }) => {
  const bytes = readFileSync(new URL(`../../fixtures/${format.name}/${file}`, import.meta.url));
  const lines = bytes.toString().split("\n").slice(0, -1);
  const records = lines.map((line) => format.decode?.(line) ?? (JSON.parse(line) as unknown));
  return { format, name: format.name, file, bytes, lines, records };
});
const of = (name: string) => CASES.find((one) => one.name === name)!;
const events = (name: string) => mapRecords(of(name).format, of(name).records).events;

describe.each(CASES)("$name", ({ format, file, bytes, lines, records }) => {
  it("maps every line", () => {
    const { outcomes } = golden(format, file.replace(/\.\w+$/, ""), { path: file }, records);
    expect(outcomes).toEqual(lines.map(() => "recorded"));
  });

  it("is recognised from content", () => {
    expect(probe(bytes, "x.log").format).toBe(format.name);
  });

  it("never throws and emits only legal fields", () => {
    fuzz(format, records);
    for (const line of lines)
      for (let cut = 0; cut < line.length; cut += 7) {
        const record = format.decode?.(line.slice(0, cut));
        if (record !== undefined) mapRecords(format, [record]);
      }
  });
});

describe("what an access log does not say", () => {
  it("is not claimed: HTTP 200 is no success of a tool", () => {
    for (const name of ["agentgateway", "kuadrant", "docker-mcp"]) {
      const results = events(name).filter((e) => e["event.action"] === "tool-result");
      expect(results.length, name).toBeGreaterThan(0);
      expect(new Set(results.map((e) => e["event.outcome"])), name).toEqual(new Set(["unknown"]));
    }
  });

  it("a call that the gateway refused has a decision and no result", () => {
    for (const [name, tool] of [
      ["agentgateway", "delete_all"],
      ["kuadrant", "delete_issue"],
    ] as const) {
      const seen = events(name).filter((e) => e["gen_ai.tool.name"] === tool);
      expect(seen.map((e) => e["event.action"])).toEqual(["tool-call", "tool-call-decision"]);
      expect(seen[1]).toMatchObject({
        "tapline.decision.verdict": "deny",
        "tapline.decision.executed": false,
      });
    }
  });

  it("results without ids find the newest call that waits; one without a call says so", () => {
    const results = events("docker-mcp").filter((e) => e["event.action"] === "tool-result");
    expect(
      results.map((e) => [e["gen_ai.tool.name"], e["tapline.call.joined"], e["event.duration"]]),
    ).toEqual([
      ["search", true, 312_500_000],
      ["fetch", true, 62_500_000_000],
      ["fetch", true, 980_000],
      ["never", false, 5_000_000],
    ]);
  });
});

describe("claude-desktop", () => {
  it("reads messages in both orders of name and level, with or without what follows them", () => {
    const all = events("claude-desktop");
    const result = all.find((e) => e["event.action"] === "tool-result")!;
    expect(result).toMatchObject({ "tapline.call.joined": true, "tapline.server.name": "files" });
    expect(all.find((e) => e["event.action"] === "tool-call")!["file.path"]).toBe("/home/ann/notes.txt");
    const cut = all.find((e) => e["message"]?.includes('"name":"cut') === true)!;
    expect(cut["event.action"]).toBe("session-event");
  });
});
