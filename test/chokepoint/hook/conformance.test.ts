// What each client is answered, byte for byte and with the exit code it reads, by the hook as it runs: the bundle in a
// process of its own. The words are those of the clients' documents; where a client cannot say `ask`, the call is refused.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import { compiledPath } from "../../../src/policy/open.ts";
import { CLIENTS, type Sent } from "./clients.ts";
import { type Ended, type World, newWorld, remove, run, spooled } from "./world.ts";

let world: World;
beforeEach(() => {
  world = newWorld();
});
afterEach(() => remove(world));

const DENY =
  "The policy denies this of the server desk (servers.desk.tools.drop_all). Ask whoever keeps the policy to change it if this is needed.";
const ASK = "The policy wants a person to confirm this of the server desk (servers.desk.tools.send_mail).";
const MALFORMED = (client: string): string =>
  `Tapline cannot read what ${client} told its hook of this call, so no policy can allow it. The version of ${client} may be newer than Tapline.`;
const UNRECORDED =
  "Tapline cannot record this call, and its policy refuses calls that are not recorded. Do not try again before the spool directory can be written.";

const silent: Ended = { stdout: "", stderr: "", code: 0 };
const out = (stdout: string): Ended => ({ stdout: `${stdout}\n`, stderr: "", code: 0 });
const two = (reason: string): Ended => ({ stdout: "", stderr: `${reason}\n`, code: 2 });

/** The three answers of each client, with a reason in its place. */
const ANSWERS: Record<
  string,
  { pass: Ended; ask?: (reason: string) => Ended; block: (reason: string) => Ended }
> = {
  "claude-code": {
    pass: silent,
    ask: (r) =>
      out(
        `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"ask","permissionDecisionReason":"${r}"}}`,
      ),
    block: (r) =>
      out(
        `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"${r}"}}`,
      ),
  },
  codex: { pass: out("{}"), block: two },
  cursor: {
    pass: out('{"permission":"allow"}'),
    ask: (r) => out(`{"permission":"ask","user_message":"${r}","agent_message":"${r}"}`),
    block: (r) => out(`{"permission":"deny","user_message":"${r}","agent_message":"${r}"}`),
  },
  gemini: { pass: out("{}"), block: (r) => out(`{"decision":"deny","reason":"${r}"}`) },
  copilot: {
    pass: silent,
    ask: (r) => out(`{"permissionDecision":"ask","permissionDecisionReason":"${r}"}`),
    block: (r) => out(`{"permissionDecision":"deny","permissionDecisionReason":"${r}"}`),
  },
  windsurf: { pass: silent, block: two },
  kiro: { pass: silent, block: two },
};
const NEWS: Record<string, Ended> = {
  "claude-code": silent,
  codex: out("{}"),
  cursor: out("{}"),
  gemini: out("{}"),
  copilot: silent,
  windsurf: silent,
  kiro: silent,
};

const call = (sent: Sent, tool: string, fail?: string): Promise<Ended> =>
  run(world, [sent.client, sent.gate], JSON.stringify(sent.call(tool)), fail);

/** The answer with what is on standard error beside it. */
function beside(answer: Ended, told: Ended): void {
  expect({ stdout: told.stdout, code: told.code }).toEqual({ stdout: answer.stdout, code: answer.code });
  expect(told.stderr.startsWith(answer.stderr)).toBe(true);
}

/** A file where the directory of the spool would be: also the superuser cannot write there. */
function spoilSpool(): void {
  mkdirSync(world.state, { recursive: true });
  writeFileSync(join(world.state, "spool"), "");
}

describe.each(CLIENTS)("$client", (sent) => {
  const { pass, ask, block } = ANSWERS[sent.client]!;

  test("allow, deny and ask, each recorded with its decision before it is answered", async () => {
    const tools = ["read_note", "drop_all", "send_mail"];
    const [allowed, denied, asked] = await Promise.all(tools.map((tool) => call(sent, tool)));
    expect(allowed).toEqual(pass);
    expect(denied).toEqual(block(DENY));
    expect(asked).toEqual(
      ask?.(ASK) ?? block(`${ASK} ${sent.client} cannot ask here, so the call is refused.`),
    );
    const lines = spooled(world);
    const told = lines.map(({ hook, event, decision }) => [hook, event, decision!.verdict, decision!.action]);
    expect(told.toSorted()).toEqual([
      [sent.client, sent.gate, "allow", "pass"],
      [sent.client, sent.gate, "ask", ask === undefined ? "block" : "ask"],
      [sent.client, sent.gate, "deny", "block"],
    ]);
    for (const { payload, decision, cwd, pid } of lines) {
      expect([sent.call("read_note"), sent.call("drop_all"), sent.call("send_mail")]).toContainEqual(payload);
      expect(decision).toMatchObject({
        decider: "policy",
        policy: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      });
      expect(decision!.latency_us).toBeGreaterThanOrEqual(0);
      expect([cwd, pid]).toEqual([join(world.home, "work"), process.pid]);
    }
  });

  test("observe lets the call pass and records the verdict", async () => {
    remove(world);
    world = newWorld("observe");
    expect(await call(sent, "drop_all")).toEqual(pass);
    expect(await call(sent, "send_mail")).toEqual(pass);
    expect(
      spooled(world)
        .map(({ decision }) => [decision!.verdict, decision!.action])
        .toSorted(),
    ).toEqual([
      ["ask", "pass"],
      ["deny", "pass"],
    ]);
  });

  test.each(["", "[]", '{"half": '])("malformed input %j is refused", async (input) => {
    expect(await run(world, [sent.client, sent.gate], input)).toEqual(block(MALFORMED(sent.client)));
    const [line] = spooled(world);
    expect(line).toMatchObject({ raw: input, decision: { verdict: "deny", rule: "hook.malformed" } });
  });

  test("malformed input passes where the policy observes", async () => {
    remove(world);
    world = newWorld("observe");
    expect(await run(world, [sent.client, sent.gate], "{")).toEqual(pass);
    expect(spooled(world)[0]!.decision).toMatchObject({ verdict: "deny", mode: "observe", action: "pass" });
  });

  test("without a policy the installer's direction holds", async () => {
    rmSync(world.policy);
    rmSync(compiledPath(world.policy));
    const reason = `Tapline cannot read its policy: ${world.policy} does not exist; write one, or name another.`;
    expect(await call(sent, "read_note")).toEqual(block(reason));
    expect(await call(sent, "read_note", "closed")).toEqual(block(reason));
    expect(await call(sent, "drop_all", "open")).toEqual(pass);
    const told = spooled(world).map(({ decision }) => [decision!.verdict, decision!.rule, decision!.action]);
    expect(told.toSorted()).toEqual([
      ["allow", "defaults", "pass"],
      ["deny", "hook.policy_unreadable", "block"],
      ["deny", "hook.policy_unreadable", "block"],
    ]);
  });

  test("a policy that cannot be used refuses, or passes and says why", async () => {
    writeFileSync(world.policy, "version: 1\nmode: enfroce\n");
    rmSync(compiledPath(world.policy));
    const closed = await call(sent, "read_note");
    expect(closed.stdout + closed.stderr).toContain("Tapline cannot read its policy");
    expect(closed.code).toBe(block("").code);
    expect(await call(sent, "read_note", "open")).toEqual(pass);
    expect(
      spooled(world)
        .map(({ decision }) => decision!.action)
        .toSorted(),
    ).toEqual(["block", "pass"]);
  });

  test("a call that cannot be recorded is refused where the policy is enforced, and passes where it observes", async () => {
    spoilSpool();
    const refused = block(UNRECORDED);
    const told = await call(sent, "read_note");
    beside(refused, told);
    expect(told.stderr).toContain("tapline: ");
    remove(world);
    world = newWorld("observe");
    spoilSpool();
    beside(pass, await call(sent, "drop_all"));
  });

  test("news is recorded and answered neutrally, also when it cannot be recorded", async () => {
    const [event, payload] = sent.news;
    expect(await run(world, [sent.client, event], JSON.stringify(payload))).toEqual(NEWS[sent.client]);
    expect(spooled(world)).toEqual([
      expect.objectContaining({ hook: sent.client, event, payload, cwd: join(world.home, "work") }),
    ]);
    expect(spooled(world)[0]).not.toHaveProperty("decision");
    rmSync(join(world.state, "spool"), { recursive: true });
    spoilSpool();
    beside(NEWS[sent.client]!, await run(world, [sent.client, event], JSON.stringify(payload)));
    // News that cannot be read holds nothing up either.
    beside(NEWS[sent.client]!, await run(world, [sent.client, event], "{"));
  });

  test("an event that is not known is recorded; one with a tool is decided", async () => {
    const payload = { ...sent.news[1], hook_event_name: "Brandnew", agent_action_name: "brandnew" };
    const words = [sent.client, "Brandnew"];
    expect(await run(world, words, JSON.stringify(payload))).toEqual(NEWS[sent.client]);
    if (sent.own === undefined) return;
    const held = await run(world, words, JSON.stringify({ ...sent.own, hook_event_name: "Brandnew" }));
    expect([held.code, held.stdout]).not.toEqual([NEWS[sent.client]!.code, NEWS[sent.client]!.stdout]);
    expect(held.stdout + held.stderr).toContain("agent_tools.WebFetch");
    expect(
      spooled(world)
        .map(({ decision }) => decision?.verdict)
        .toSorted(),
    ).toEqual(["deny", undefined]);
  });

  test("the agent's own tools are decided by their names", async () => {
    if (sent.own === undefined) return;
    const event = sent.client === "cursor" ? "preToolUse" : sent.gate;
    const told = await run(world, [sent.client, event], JSON.stringify(sent.own));
    expect(told.stdout + told.stderr).toContain("agent_tools.WebFetch");
    expect(spooled(world)[0]!.decision).toMatchObject({ rule: "agent_tools.WebFetch", action: "block" });
  });

  test("a server of another name, or one that the client's configuration does not have, is not known", async () => {
    const other = JSON.stringify(sent.call("read_note")).replaceAll("desk", "dusk");
    const told = await run(world, [sent.client, sent.gate], other);
    expect(told.stdout + told.stderr).toContain("Ask whoever keeps the policy");
    expect(spooled(world)[0]!.decision).toMatchObject({
      verdict: "deny",
      rule: "defaults.servers",
      action: "block",
    });
  });
});

test("more than a hook reads is cut and kept: a call in it is refused, news pass", async () => {
  const sent = CLIENTS[0]!;
  const more = { tool_input: { text: "x".repeat(LIMITS.hook_input_bytes + 200_000) } };
  const call_ = JSON.stringify({ ...sent.call("read_note"), ...more });
  const { block } = ANSWERS["claude-code"]!;
  expect(await run(world, [sent.client, sent.gate], call_)).toEqual(block(MALFORMED("claude-code")));
  expect(await run(world, [sent.client, "PostToolUse"], call_)).toEqual(silent);
  const lines = spooled(world);
  expect(lines.map(({ event }) => event).toSorted()).toEqual(["PostToolUse", "PreToolUse"]);
  for (const { raw } of lines)
    expect([String(raw).length, call_.startsWith(String(raw))]).toEqual([
      LIMITS.raw_bytes + LIMITS.beyond_chars,
      true,
    ]);
});

test("without input, and with words that mean nothing, the hook ends", async () => {
  expect(await run(world, ["claude-code", "PreToolUse"], "")).toMatchObject({ code: 0 });
  const wrong = await run(world, ["emacs", "PreToolUse"], "{}");
  expect([wrong.code, wrong.stdout, wrong.stderr.startsWith("usage: ")]).toEqual([2, "", true]);
});

test("a compiled policy that is not of the policy's text is not used", async () => {
  const sent = CLIENTS[0]!;
  writeFileSync(compiledPath(world.policy), "{}\n");
  expect(await call(sent, "drop_all")).toEqual(ANSWERS["claude-code"]!.block(DENY));
});
