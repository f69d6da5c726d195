// The gate without a transport: what passes, what is answered instead, and what is recorded, for messages of both eras and
// for those that two readers could understand differently.
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Gate, type Outcome } from "../../src/chokepoint/gate.ts";
import { Peer } from "../../src/chokepoint/peer.ts";
import { Recorder } from "../../src/chokepoint/recorder.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { mcp } from "../../src/normalise/formats/mcp.ts";
import type {
  CallRequest,
  Decision,
  Mode,
  Policy,
  ServerIdentity,
  Verdict,
} from "../../src/policy/contract.ts";
import { mapRecords } from "../normalise/harness.ts";

const server = { name: "s", transport: "stdio", command: ["s"] } as const;
const V = "io.modelcontextprotocol/";

/** Allows, denies and asks by the name of the tool, the method, or the mode. */
function policyOf(
  mode: Mode,
  asked: CallRequest[] = [],
  hidden: string[] = [],
  changed: string[] = [],
): Policy {
  return {
    hash: "h",
    decide(call): Decision {
      asked.push(call);
      const word = /deny|ask/.exec(call.tool) ?? /deny|ask/.exec(JSON.stringify(call.arguments ?? ""));
      const verdict = (word?.[0] ?? "allow") as Verdict;
      return { verdict, mode, rule: `rule.${verdict}`, reason: `It is to ${verdict}.`, policy: "h" };
    },
    enforces: () => mode === "enforce",
    expects: () => false,
    list: () => ({ hidden: new Set(hidden), changed }),
  };
}

class Bench {
  readonly lines: object[] = [];
  readonly asked: CallRequest[] = [];
  readonly sent: Record<string, unknown>[] = [];
  readonly gate: Gate;
  readonly peer: Peer;
  broken = false;

  constructor(
    mode: Mode,
    list: { hidden?: string[]; changed?: string[] } = {},
    identity: ServerIdentity = server,
  ) {
    const spool = {
      append: (record: string) => {
        if (this.broken) throw new Error("no room");
        this.lines.push(JSON.parse(record) as object);
      },
      end: () => {},
    };
    const recorder = new Recorder(
      () => spool,
      () => {},
    );
    const policy = policyOf(mode, this.asked, list.hidden, list.changed);
    this.gate = new Gate({ policy, recorder, server: identity, user: "ada", cwd: undefined });
    this.peer = new Peer({ conn: "c", server, client: {}, user: "ada" }, (text) => {
      this.sent.push(JSON.parse(text) as Record<string, unknown>);
      return true;
    });
  }

  client(message: unknown): Outcome | Promise<Outcome> {
    return this.gate.fromClient(this.peer, bytes(message));
  }

  server(message: unknown): Outcome | Promise<Outcome> {
    return this.gate.fromServer(this.peer, bytes(message));
  }

  events() {
    return mapRecords(mcp, this.lines).events;
  }

  actions() {
    return this.events().map((e) => [
      e["event.action"],
      e["tapline.decision.verdict"],
      e["tapline.decision.action"],
    ]);
  }
}

const bytes = (message: unknown): Buffer =>
  Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
const call = (id: unknown, name: string, args: object = {}, rest: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, ...rest },
});
const initialize = (capabilities: object) => ({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "cli", version: "1" } },
});
const meta = (capabilities: object) => ({
  _meta: { [`${V}protocolVersion`]: "2026-07-28", [`${V}clientCapabilities`]: capabilities },
});
const answersOf = (o: Outcome) => o.answers.map((a) => JSON.parse(a) as Record<string, never>);

describe("decisions", () => {
  test("allowed: passes byte for byte, and its decision comes before its call", async () => {
    const b = new Bench("enforce");
    const message = bytes(
      '{ "jsonrpc":"2.0", "id" : 1,"method":"tools/call","params":{"name":"t","arguments":{"a":1.0}}}',
    );
    expect((await b.gate.fromClient(b.peer, message)).forward).toBe(message);
    await b.server({ jsonrpc: "2.0", id: 1, result: { content: [] } });
    const events = b.events();
    expect(events.map((e) => e["event.action"])).toEqual(["tool-call-decision", "tool-call", "tool-result"]);
    expect(events[0]).toMatchObject({
      "event.type": ["allowed"],
      "rule.id": "rule.allow",
      "rule.category": "policy",
      "rule.ruleset": "h",
      "user.name": "ada",
      "tapline.server.name": "s",
      "tapline.decision.verdict": "allow",
      "tapline.decision.action": "pass",
      "tapline.decision.executed": true,
      "tapline.decision.mode": "enforce",
      "tapline.decision.decider.type": "policy",
    });
    expect(events[0]!["event.duration"]).toBeGreaterThanOrEqual(0);
    expect(new Set(events.map((e) => e["tapline.call_key"])).size).toBe(1);
    expect(b.asked[0]).toMatchObject({ tool: "t", method: "tools/call", user: "ada", arguments: { a: 1 } });
  });

  test.each([
    ["legacy", {}, {}],
    ["2026-07-28", meta({}), { resultType: "complete" }],
  ])("denied, %s: an error result that a model can read, one record, no call", async (_era, rest, more) => {
    const b = new Bench("enforce");
    const { forward, answers } = await b.client(call("x", "deny_it", { password: "p" }, rest));
    expect(forward).toBeUndefined();
    expect(JSON.parse(answers[0]!)).toEqual({
      jsonrpc: "2.0",
      id: "x",
      result: {
        ...more,
        isError: true,
        content: [{ type: "text", text: "Refused by policy. It is to deny." }],
      },
    });
    const [event, ...others] = b.events();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      "event.action": "tool-call-decision",
      "event.type": ["denied"],
      "tapline.decision.executed": false,
      "gen_ai.tool.call.arguments": { password: "p" },
    });
    expect(event!["tapline.call_key"]).toBeDefined();
  });

  test("denied elsewhere: a JSON-RPC error; a notification gets no answer; a task neither a result", async () => {
    const b = new Bench("enforce");
    for (const message of [
      { jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: "x://deny" } },
      { jsonrpc: "2.0", id: 2, method: "prompts/get", params: { name: "deny" } },
      { jsonrpc: "2.0", id: 3, method: "vendor/deny" },
      call(4, "deny", {}, { task: { ttl: 1 } }),
    ]) {
      const [answer] = answersOf(await b.client(message));
      expect(answer).toMatchObject({ id: message.id, error: { code: -32010, data: { rule: "rule.deny" } } });
    }
    const { id: _, ...notification } = call(5, "deny");
    expect(await b.client(notification)).toEqual({ forward: undefined, answers: [] });
    expect(b.events().every((e) => e["event.action"] === "tool-call-decision")).toBe(true);
  });

  test("observed: everything passes, and what would have been refused is told", async () => {
    const b = new Bench("observe");
    for (const tool of ["deny", "ask", "t"]) {
      const message = bytes(call(tool, tool));
      expect(await b.gate.fromClient(b.peer, message)).toEqual({ forward: message, answers: [] });
    }
    const decisions = b.actions().filter(([action]) => action === "tool-call-decision");
    expect(decisions.map(([, verdict, action]) => [verdict, action])).toEqual([
      ["deny", "pass"],
      ["ask", "pass"],
      ["allow", "pass"],
    ]);
    expect(b.events().filter((e) => e["event.action"] === "tool-call")).toHaveLength(3);
  });

  test("what the server asks is decided too, and refused to the server", async () => {
    const b = new Bench("enforce");
    const sampling = {
      jsonrpc: "2.0",
      id: 1,
      method: "sampling/createMessage",
      params: { messages: ["deny"] },
    };
    const { forward, answers } = await b.server(sampling);
    expect([forward, JSON.parse(answers[0]!)]).toMatchObject([undefined, { id: 1, error: { code: -32010 } }]);
    const roots = bytes({ jsonrpc: "2.0", id: 2, method: "roots/list" });
    expect((await b.gate.fromServer(b.peer, roots)).forward).toBe(roots);
    const wanted = (message: string) => ({
      jsonrpc: "2.0",
      id: 9,
      result: {
        resultType: "input_required",
        inputRequests: { a: { method: "elicitation/create", params: { message } } },
      },
    });
    await b.client(call(9, "t", {}, meta({})));
    const refused = JSON.parse(String((await b.server(wanted("deny"))).forward)) as object;
    expect(refused).toMatchObject({ id: 9, result: { isError: true } });
    const fine = bytes(wanted("please"));
    expect((await b.gate.fromServer(b.peer, fine)).forward).toBe(fine);
    expect(b.events().filter((e) => e["event.action"] === "elicitation")).toHaveLength(1);
  });

  test("what the server asks within an answer is decided whatever else is in the answer, and whoever it is to", async () => {
    const b = new Bench("enforce");
    const inputRequests = { a: { method: "sampling/createMessage", params: { messages: ["deny"] } } };
    for (const result of [{ inputRequests, tools: [] }, { inputRequests: Object.values(inputRequests) }]) {
      await b.client({ jsonrpc: "2.0", id: 1, method: "tools/list" });
      const refused = JSON.parse(
        String((await b.server({ jsonrpc: "2.0", id: 1, result })).forward),
      ) as object;
      expect(refused).toMatchObject({ id: 1, error: { code: -32010 } });
    }
    const nobody = { jsonrpc: "2.0", id: null, result: { inputRequests } };
    expect((await b.server(nobody)).forward).toBeUndefined();
    expect(b.events().filter((e) => e["event.action"] === "sampling")).toEqual([]);
  });

  test("a batch is decided one by one", async () => {
    const b = new Bench("enforce");
    const text = `[${JSON.stringify(call(1, "t", { s: "],[" }))}, ${JSON.stringify(call(2, "deny"))} ,{"jsonrpc":"2.0","method":"notifications/initialized"}]`;
    const { forward, answers } = await b.client(text);
    expect(JSON.parse(String(forward))).toEqual([
      call(1, "t", { s: "],[" }),
      { jsonrpc: "2.0", method: "notifications/initialized" },
    ]);
    expect(answersOf({ forward, answers })).toMatchObject([{ id: 2, result: { isError: true } }]);
    const all = bytes(`[${JSON.stringify(call(3, "t"))}]`);
    expect((await b.gate.fromClient(b.peer, all)).forward).toBe(all);
    expect((await b.client([call(4, "deny")])).forward).toBeUndefined();
  });
});

describe("what cannot be recorded", () => {
  test("is refused where policy is enforced, and says why; passes where it is observed", async () => {
    for (const [mode, passes] of [
      ["enforce", false],
      ["observe", true],
    ] as const) {
      const b = new Bench(mode);
      b.broken = true;
      const { forward, answers } = await b.client(call(1, "t"));
      expect(forward !== undefined).toBe(passes);
      if (!passes) expect(answers[0]).toContain("cannot be recorded");
      b.broken = false;
      await b.client(call(2, "t"));
      const [gap] = b.events();
      expect(gap).toMatchObject({ "event.action": "gap", "tapline.gap.reason": "unrecorded" });
      expect(gap!["event.reason"]).toBe("1 records could not be written");
    }
  });
});

describe("a person is asked", () => {
  const accept = (id: unknown, allow: boolean) => ({
    jsonrpc: "2.0",
    id,
    result: { action: "accept", content: { allow } },
  });

  test.each([
    ["accepts", (id: unknown) => accept(id, true), "pass"],
    ["says no", (id: unknown) => accept(id, false), "block"],
    ["declines", (id: unknown) => ({ jsonrpc: "2.0", id, result: { action: "decline" } }), "block"],
    ["cannot", (id: unknown) => ({ jsonrpc: "2.0", id, error: { code: -32601, message: "no" } }), "block"],
  ])("by a form of the client: the user %s", async (_what, answer, action) => {
    const b = new Bench("enforce");
    await b.client(initialize({ elicitation: {} }));
    const message = bytes(call(1, "ask_\u001b[2J\u202eme", { path: "/x" }));
    const held = b.gate.fromClient(b.peer, message);
    expect(held).toBeInstanceOf(Promise);
    const [form] = b.sent as [
      { id: string; method: string; params: { message: string; requestedSchema: object } },
    ];
    expect(form).toMatchObject({
      method: "elicitation/create",
      params: { requestedSchema: { required: ["allow"] } },
    });
    expect(form.params.message).toContain("/x");
    expect(form.params.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    // Others do not wait.
    expect((await b.client(call(2, "t"))).forward).toBeDefined();
    expect(await b.client(answer(form.id))).toEqual({ forward: undefined, answers: [] });
    const outcome = await held;
    expect(outcome.forward === message).toBe(action === "pass");
    const decisions = b
      .events()
      .filter((e) => e["jsonrpc.request.id"] === "1" && e["event.action"] === "tool-call-decision");
    expect(decisions.map((e) => [e["tapline.decision.action"], e["tapline.decision.decider.type"]])).toEqual([
      ["ask", "policy"],
      [action, "user"],
    ]);
    expect(new Set(decisions.map((e) => e["tapline.call_key"])).size).toBe(1);
    const calls = b
      .events()
      .filter((e) => e["jsonrpc.request.id"] === "1" && e["event.action"] === "tool-call");
    expect(calls).toHaveLength(action === "pass" ? 1 : 0);
  });

  test("nobody answers in time: refused; given up by the client: no answer", async () => {
    vi.useFakeTimers();
    const b = new Bench("enforce");
    await b.client(initialize({ elicitation: { form: {} } }));
    const late = b.client(call(1, "ask"));
    const given_up = b.client(call(2, "ask"));
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } };
    expect(await b.client(cancel)).toEqual({ forward: undefined, answers: [] });
    expect(await given_up).toEqual({ forward: undefined, answers: [] });
    await vi.advanceTimersByTimeAsync(LIMITS.ask_ms);
    vi.useRealTimers();
    expect((await late).answers[0]).toContain("Nobody answered in time.");
    expect(await b.client(accept((b.sent[0] as { id: string }).id, true))).not.toEqual({
      forward: undefined,
      answers: [],
    });
  });

  test("the server cannot have the user answer something else in its place", async () => {
    const b = new Bench("enforce");
    await b.client(initialize({ elicitation: {} }));
    void b.client(call(1, "ask"));
    void b.client(call(2, "ask"));
    const ids = b.sent.map(({ id }) => String(id));
    for (const id of ids) expect(id).toMatch(/^tapline-ask-[0-9a-f]{32}$/);
    expect(ids[0]).not.toBe(ids[1]);
    const question = { jsonrpc: "2.0", id: "tapline-ask-1", method: "elicitation/create", params: {} };
    expect((await b.server(question)).forward).toBeUndefined();
    expect(b.events().at(-1)).toMatchObject({
      "event.action": "protocol-violation",
      "error.type": "own_id",
      "tapline.decision.action": "block",
    });
    const observed = new Bench("observe");
    expect((await observed.server(question)).forward).toBeDefined();
    expect(observed.events()[0]).toMatchObject({ "error.type": "own_id", "tapline.decision.action": "pass" });
  });

  test("more than can be held are refused at once", async () => {
    const b = new Bench("enforce");
    await b.client(initialize({ elicitation: {} }));
    for (let i = 0; i < LIMITS.held_calls; i++) void b.client(call(i, "ask"));
    expect((await b.client(call("more", "ask"))).answers[0]).toContain("nobody to ask");
  });

  test("2026-07-28: the call is answered with the question, and comes again with the answer, which is of that call alone", async () => {
    const b = new Bench("enforce");
    const rest = meta({ elicitation: {} });
    const asked = async (id: number, name: string) => {
      const [answer] = answersOf(await b.client(call(id, name, { n: 1 }, rest)));
      return answer as unknown as {
        result: { resultType: string; requestState: string; inputRequests: object };
      };
    };
    const { result } = await asked(1, "ask");
    expect(result.resultType).toBe("input_required");
    const [name] = Object.keys(result.inputRequests);
    const retry = (id: number, tool: string, args: object) =>
      call(id, tool, args, {
        ...rest,
        requestState: result.requestState,
        inputResponses: { [name!]: { action: "accept", content: { allow: true } } },
      });
    const other = await b.client(retry(2, "ask_other", { n: 1 }));
    expect(other.forward).toBeUndefined();
    const again = await asked(3, "ask");
    expect(again.result.requestState).not.toBe(result.requestState);
    const fine = { ...retry(4, "ask", { n: 1 }) };
    fine.params = { ...fine.params, requestState: again.result.requestState } as never;
    const { forward } = await b.client(fine);
    expect(JSON.parse(String(forward))).toEqual(call(4, "ask", { n: 1 }, rest));
    expect((await b.client(fine)).forward).toBeUndefined(); // once
  });

  test("what a person allowed is decided once more, when it counts, and only then", async () => {
    for (const [rest, at_once] of [
      [{}, false],
      [meta({ elicitation: {} }), true],
    ] as const) {
      const b = new Bench("enforce");
      await b.client(initialize({ elicitation: {} }));
      const held = b.client(call(1, "ask", {}, rest));
      const allow = { action: "accept", content: { allow: true } };
      if (at_once) {
        const result = answersOf(await held)[0]!["result"] as unknown as {
          requestState: string;
          inputRequests: object;
        };
        const [name] = Object.keys(result.inputRequests);
        const inputResponses = { [name!]: allow };
        const { requestState } = result;
        await b.client(call(2, "ask", {}, { ...rest, requestState, inputResponses }));
      } else {
        await b.client({ jsonrpc: "2.0", id: b.sent[0]!["id"], result: allow });
        await held;
      }
      expect(b.asked.filter(({ may_ask }) => may_ask !== true)).toHaveLength(1);
      expect(b.asked.at(-1)!.may_ask).toBe(false);
    }
  });

  test("2026-07-28: an answer is of all parameters, also of methods that nobody knows", async () => {
    const b = new Bench("enforce");
    const vendor = (id: number, params: object) => ({
      jsonrpc: "2.0",
      id,
      method: "vendor/ask",
      params: { ...params, ...meta({ elicitation: {} }) },
    });
    const ask = async (id: number) => {
      const [answer] = answersOf(await b.client(vendor(id, { path: "/tmp/a" })));
      const { requestState, inputRequests } = answer!["result"] as unknown as {
        requestState: string;
        inputRequests: object;
      };
      const [name] = Object.keys(inputRequests);
      return { requestState, inputResponses: { [name!]: { action: "accept", content: { allow: true } } } };
    };
    expect((await b.client(vendor(2, { path: "/", ...(await ask(1)) }))).forward).toBeUndefined();
    const { forward } = await b.client(vendor(4, { path: "/tmp/a", ...(await ask(3)) }));
    expect(JSON.parse(String(forward))).toEqual(vendor(4, { path: "/tmp/a" }));
  });
});

describe("listings", () => {
  const listing = {
    jsonrpc: "2.0",
    id: 1,
    result: { tools: [{ name: "a", description: "A" }, { name: "b" }], nextCursor: "n" },
  };

  test("tools that the caller may not use are left out; changed ones are told", async () => {
    const b = new Bench("enforce", { hidden: ["b"], changed: ["a"] });
    await b.client({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const { forward } = await b.server(listing);
    expect(JSON.parse(String(forward))).toEqual({
      ...listing,
      result: { tools: [listing.result.tools[0]], nextCursor: "n" },
    });
    const events = b.events();
    expect(events.find((e) => e["event.action"] === "tools-listed")!["tapline.tool.count"]).toBe(2);
    expect(events.find((e) => e["event.action"] === "tools-hidden")!["tapline.tool.names"]).toEqual(["b"]);
    const defined = events.find(
      (e) => e["event.action"] === "tool-definition" && e["gen_ai.tool.name"] === "a",
    )!;
    const quarantined = events.find((e) => e["event.action"] === "tool-quarantined")!;
    expect(quarantined["tapline.tool.definition_hash"]).toBe(defined["tapline.tool.definition_hash"]);
    await b.client(call(2, "a"));
    expect(b.asked.at(-1)!.definition_hash).toBe(defined["tapline.tool.definition_hash"]);
    expect(b.events().at(-1)!["tapline.tool.definition_hash"]).toBe(defined["tapline.tool.definition_hash"]);
  });

  test("nothing to leave out: byte for byte", async () => {
    const b = new Bench("enforce");
    const message = bytes(`  ${JSON.stringify(listing)}`);
    expect((await b.gate.fromServer(b.peer, message)).forward).toBe(message);
  });
});

describe("what two readers could understand differently", () => {
  const CASES: [string, string][] = [
    [
      "repeated_key",
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"deny"}}',
    ],
    ["repeated_key", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"deny","name":"t"}}'],
    [
      "repeated_key",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"p":1,"\\u0070":2}}}',
    ],
    ["key_case", '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"deny"}}'],
    ["key_case", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","Name":"deny"}}'],
    ["key_case", '{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{}}'],
    [
      "key_case",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"path":"a","Path":"b"}}}',
    ],
    ["not_json_rpc", '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/call","params":{"name":"t"}}'],
    ["not_json_rpc", '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"t"}}'],
    ["not_json_rpc", '{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{}}'],
    ["not_json_rpc", "[]"],
    ["not_json_rpc", "3"],
    ["not_json", '{"jsonrpc":"2.0","id":1,"method":"tools/call"'],
    [
      "too_deep",
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":${"[".repeat(200)}${"]".repeat(200)}}}`,
    ],
  ];

  test.each(CASES)("%s: refused where policy is enforced, told in any case: %s", async (error, text) => {
    const enforced = new Bench("enforce");
    const { forward, answers } = await enforced.client(text);
    expect([forward, answersOf({ forward, answers })[0]]).toMatchObject([
      undefined,
      { error: { code: -32600 } },
    ]);
    const observed = new Bench("observe");
    const message = bytes(text);
    expect((await observed.gate.fromClient(observed.peer, message)).forward).toBe(message);
    for (const [b, action] of [
      [enforced, "block"],
      [observed, "pass"],
    ] as const) {
      expect(b.events()[0]).toMatchObject({
        "event.action": "protocol-violation",
        "error.type": error,
        "tapline.decision.action": action,
      });
    }
  });

  const RESULTS: [string, string][] = [
    ["repeated_key", '{"inputRequests":{"a":{"method":"sampling/createMessage"}},"inputRequests":null}'],
    ["repeated_key", '{"tools":[{"name":"t","description":"evil","description":"fine"}]}'],
    ["repeated_key", '{"\\u0074ools":[{"name":"t"}],"tools":[]}'],
    ["repeated_key", '{"tools":[]},"result"\n:{}'],
    ["key_case", '{"Tools":[{"name":"t"}]}'],
    ["key_case", '{"tools":[],"tool\u017f":[{"name":"t"}]}'],
    ["key_case", '{"tools":[{"name":"t","Description":"evil"}]}'],
    ["key_case", '{"InputRequests":{"a":{"method":"sampling/createMessage"}}}'],
    ["key_case", '{"inputRequests":{"a":{"Method":"sampling/createMessage"}}}'],
    ["too_deep", `{"tools":[{"name":"t","inputSchema":${"[".repeat(60_000)}${"]".repeat(60_000)}}]}`],
    ["too_deep", `{"Tools":[{"name":"t","inputSchema":${"[".repeat(60_000)}${"]".repeat(60_000)}}]}`],
  ];

  test.each(RESULTS)("of a server, %s: the call is answered instead", async (error, result) => {
    const text = `{"jsonrpc":"2.0","id":1,"result":${result}}`;
    const b = new Bench("enforce");
    await b.client({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const { forward, answers } = await b.server(text);
    expect(JSON.parse(String(forward))).toMatchObject({ id: 1, error: { code: -32010 } });
    expect(answers).toEqual([]);
    expect(JSON.parse(String((await b.server(`[${text}]`)).forward))).toMatchObject([{ id: 1 }]);
    const observed = new Bench("observe");
    const message = bytes(text);
    expect((await observed.gate.fromServer(observed.peer, message)).forward).toBe(message);
    for (const one of [b, observed])
      expect(one.events().find((e) => e["event.action"] === "protocol-violation")).toMatchObject({
        "error.type": error,
      });
  });

  test("a result of a tool may have what keys it likes", async () => {
    const b = new Bench("enforce");
    const message = bytes('{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"a":1,"A":2,"a":3}}}');
    expect((await b.gate.fromServer(b.peer, message)).forward).toBe(message);
  });

  test("what a server asks in what it tells of a task is decided, and not told when it is refused", async () => {
    const b = new Bench("enforce");
    const told = (text: string) => ({
      jsonrpc: "2.0",
      method: "notifications/tasks/status",
      params: {
        taskId: "1",
        inputRequests: { a: { method: "sampling/createMessage", params: { messages: [text] } } },
      },
    });
    expect(await b.server(told("deny"))).toEqual({ forward: undefined, answers: [] });
    const fine = bytes(told("please"));
    expect((await b.gate.fromServer(b.peer, fine)).forward).toBe(fine);
    expect(b.asked.map(({ method }) => method)).toEqual(["sampling/createMessage", "sampling/createMessage"]);
    const other = bytes({ ...told(""), params: { InputRequests: told("deny").params.inputRequests } });
    expect((await b.gate.fromServer(b.peer, other)).forward).toBeUndefined();
  });

  test("bytes that are no UTF-8", async () => {
    const b = new Bench("enforce");
    const bad = Buffer.concat([
      bytes('{"jsonrpc":"2.0","id":1,"method":"x'),
      Buffer.from([0xc3, 0x28]),
      bytes('"}'),
    ]);
    expect((await b.gate.fromClient(b.peer, bad)).forward).toBeUndefined();
  });

  test("a server that prints to its output is passed on and counted, with a bound on what is told", async () => {
    const b = new Bench("enforce");
    for (let i = 0; i < LIMITS.junk_notices + 50; i++) {
      const junk = bytes(`starting up ${i}`);
      expect((await b.gate.fromServer(b.peer, junk)).forward).toBe(junk);
    }
    expect(b.gate.decisions.counts).toMatchObject({ junk: LIMITS.junk_notices + 50, junk_unrecorded: 50 });
    expect(b.lines).toHaveLength(LIMITS.junk_notices);
    // What some reader takes for a message is recorded all the same, and held up.
    expect(
      (await b.server('{"method":"sampling/createMessage","params":{"temperature":NaN}}')).forward,
    ).toBeUndefined();
    expect(b.lines).toHaveLength(LIMITS.junk_notices + 1);
  });

  test.each([
    '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"temperature":NaN}}',
    '\ufeff{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}',
    'x\r{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}',
    'x\u2028\ufeff [{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}]',
  ])("what some reader takes for a message is no print: %j", async (text) => {
    const b = new Bench("enforce");
    expect((await b.server(text)).forward).toBeUndefined();
    expect(b.events()[0]).toMatchObject({ "error.type": "not_json", "tapline.decision.action": "block" });
    const observed = new Bench("observe");
    expect((await observed.server(text)).forward).toBeDefined();
  });

  test("over HTTP a server prints nothing", async () => {
    const b = new Bench("enforce", {}, { name: "s", transport: "http", url: "http://localhost/" });
    expect((await b.server("starting up")).forward).toBeUndefined();
  });

  test("whatever comes, nothing throws, and what passes is what came or a part of it", async () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("2.0", 1, null, "tools/call", "deny", "ask", "t", true),
        fc.dictionary(
          fc.constantFrom(
            "jsonrpc",
            "id",
            "method",
            "params",
            "result",
            "error",
            "name",
            "arguments",
            "tools",
            "_meta",
            "uri",
            "inputRequests",
            "requestState",
          ),
          tie("any"),
        ),
        fc.array(tie("any"), { maxLength: 4 }),
      ),
    })).any;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), value), { maxLength: 6 }), async (messages) => {
        const b = new Bench("enforce");
        for (const [client, message] of messages) {
          const came = bytes(message);
          const outcome = client ? b.gate.fromClient(b.peer, came) : b.gate.fromServer(b.peer, came);
          if (outcome instanceof Promise) {
            for (const cancel of b.peer.held.values()) cancel();
          }
          const { forward } = await outcome;
          if (forward !== undefined)
            expect(typeof forward === "string" ? JSON.parse(forward) : forward).toBeDefined();
        }
        b.events();
      }),
      { numRuns: process.env["TAPLINE_FULL"] === "1" ? 5_000 : 300 },
    );
  });
});
