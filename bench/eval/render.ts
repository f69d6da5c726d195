// Sessions of generate.py as records that Tapline reads: chat lines or MCP messages, with the tools' own names or
// random ones. Pure.

export interface Step {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly result: string;
}
export interface Trace {
  readonly suite: string;
  readonly label: "benign" | "ignored" | "attack";
  readonly template: string | null;
  readonly task: string;
  readonly injection: string | null;
  readonly prompt: string;
  readonly steps: readonly Step[];
  /** Index of the first malicious step, and how many there are. */
  readonly mark: number | null;
  readonly malicious: number;
}

/** A small seeded generator: the same names in every run. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Gives every tool a random name, the same in one session. */
export function disguised(trace: Trace, next: () => number): Trace {
  const names = new Map<string, string>();
  const nameOf = (tool: string): string => {
    let name = names.get(tool);
    if (name === undefined) {
      name = Array.from({ length: 8 }, () => "abcdefghijklmnopqrstuvwxyz"[Math.floor(next() * 26)]).join("");
      names.set(tool, name);
    }
    return name;
  };
  return { ...trace, steps: trace.steps.map((step) => ({ ...step, tool: nameOf(step.tool) })) };
}

export function chatLine(trace: Trace, session: string): string {
  const messages: object[] = [{ role: "user", content: trace.prompt }];
  trace.steps.forEach((step, i) => {
    const call = {
      id: `c${i}`,
      type: "function",
      function: { name: step.tool, arguments: JSON.stringify(step.args) },
    };
    messages.push({ role: "assistant", content: null, tool_calls: [call] });
    messages.push({ role: "tool", tool_call_id: `c${i}`, content: step.result });
  });
  return JSON.stringify({ session, messages });
}

export function mcpLines(trace: Trace, session: string): string {
  let time_ms = Date.UTC(2026, 10, 1);
  const lines: string[] = [];
  const line = (dir: string, msg: object): void => {
    lines.push(
      JSON.stringify({
        ts: new Date((time_ms += 700)).toISOString(),
        dir,
        session,
        msg: { jsonrpc: "2.0", ...msg },
      }),
    );
  };
  trace.steps.forEach((step, id) => {
    line("c2s", { id, method: "tools/call", params: { name: step.tool, arguments: step.args } });
    line("s2c", { id, result: { content: [{ type: "text", text: step.result }] } });
  });
  return lines.join("\n");
}
