// The registry of clients that have hooks.
import { claudeCode } from "./claude-code.ts";
import type { HookClient } from "./client.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";
import { kiro } from "./kiro.ts";
import { windsurf } from "./windsurf.ts";

export const CLIENTS: ReadonlyMap<string, HookClient> = new Map([
  ["claude-code", claudeCode],
  ["codex", codex],
  ["cursor", cursor],
  ["gemini", gemini],
  ["copilot", copilot],
  ["windsurf", windsurf],
  ["kiro", kiro],
]);
