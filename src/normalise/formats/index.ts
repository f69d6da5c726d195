// The registry of formats: adding one is its file, its fixtures and a line here.
import type { Format } from "../format.ts";
import { agentgateway } from "./agentgateway.ts";
import { chat } from "./chat.ts";
import { claudeCode } from "./claude-code.ts";
import { claudeDesktop } from "./claude-desktop.ts";
import { codex } from "./codex.ts";
import { contextforge } from "./contextforge.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { dockerMcp } from "./docker-mcp.ts";
import { gemini } from "./gemini.ts";
import { geminiTelemetry } from "./gemini-telemetry.ts";
import { hook } from "./hook.ts";
import { json, unknown } from "./json.ts";
import { kuadrant } from "./kuadrant.ts";
import { mcp } from "./mcp.ts";
import { otlpJson } from "./otlp-json.ts";
import { tapline } from "./tapline.ts";
import { taplineEvent } from "./tapline-event.ts";

export const FORMATS: readonly Format[] = [
  mcp,
  hook,
  claudeCode,
  codex,
  otlpJson,
  chat,
  gemini,
  geminiTelemetry,
  copilot,
  cursor,
  claudeDesktop,
  agentgateway,
  kuadrant,
  dockerMcp,
  contextforge,
  tapline,
  taplineEvent,
  json,
  unknown,
];
