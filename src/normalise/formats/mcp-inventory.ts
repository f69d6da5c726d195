// What an MCP server says of itself and of its tools: server-connected, tools-listed, one tool-definition a tool.
import { definitionHash } from "../../core/definition.ts";
import { canonical } from "../../core/digest.ts";
import type { Event } from "../../core/generated/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Fields, asHeld, asList, asObject, asText } from "../format.ts";
import { type Line, begin, learn, setProtocol, setReported } from "./mcp-line.ts";

const NAMES_CHARS_MAX = 16_384;

/** Answer to initialize or server/discover. */
export function serverConnected(e: Event, line: Line, result: Fields): void {
  const info = asObject(result["serverInfo"]);
  const version = asText(result["protocolVersion"]);
  const instructions = asText(result["instructions"]);
  if (info !== undefined) setReported(e, line, info);
  if (version !== undefined) setProtocol(e, version);
  if (instructions !== undefined) e["gen_ai.system_instructions"] = { text: instructions };
  const { instructions: _instructions, _meta, ...rest } = result;
  e["tapline.ext"] = { result: asHeld(rest) };
  learn(e, line);
}

/** Answer to tools/list: emits the listing and each definition in it. */
export function toolsListed(e: Event, line: Line, result: Fields): void {
  const tools = asList(result["tools"]);
  const names: string[] = [];
  let chars = 0;
  for (let i = 0; i < tools.length; i++) {
    const name = asText(asObject(tools[i])?.["name"]) ?? "";
    chars += name.length + 3;
    if (chars <= NAMES_CHARS_MAX) names.push(name);
  }
  e["tapline.tool.count"] = tools.length;
  e["tapline.tool.names"] = names;
  if (names.length < tools.length) e["tapline.data.truncated"] = ["tapline.tool.names"];
  const { tools: _tools, _meta, ...rest } = result;
  for (const _key in rest) {
    e["tapline.ext"] = { result: asHeld(rest) };
    break;
  }
  line.scope.emit(e);
  const count = Math.min(tools.length, LIMITS.tools_listed);
  for (let i = 0; i < count; i++) toolDefinition(line, tools[i]);
}

/** The hashes are over the definition as canonical JSON, so that order of keys is no change. */
function toolDefinition(line: Line, value: unknown): void {
  const tool = asHeld(value);
  const { description, _meta, ...rest } = tool;
  const e = begin(line, "tool-definition", "tools/list");
  e["gen_ai.tool.type"] = "extension";
  e["gen_ai.tool.name"] = asText(tool["name"]);
  e["gen_ai.tool.description"] = asText(description);
  e["gen_ai.tool.definitions"] = rest;
  e["tapline.tool.definition_hash"] = definitionHash(tool);
  e["tapline.tool.description_hash"] = line.scope.digest(asText(description) ?? "");
  e["tapline.tool.schema_hash"] = line.scope.digest(canonical(tool["inputSchema"] ?? {}));
  line.scope.emit(e);
}
