// How agents name the tools of MCP servers among their own: what decides on a call and what records it have to take the
// same server and tool for the ones that are meant.

/** `mcp__<server>__<tool>`, as Claude Code and Codex name the tools of servers. `server` is its name where the client
 * says it: in the tool's name, characters other than letters, digits, - and _ are replaced. */
export function mcpTool(
  name: string,
  server: string | undefined,
): { server: string; tool: string } | undefined {
  if (!name.startsWith("mcp__")) return undefined;
  const spelled = server?.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
  if (spelled !== undefined && name.startsWith(`mcp__${spelled}__`)) {
    return { server: server!, tool: name.slice(spelled.length + 7) };
  }
  const end = name.indexOf("__", 6);
  if (end === -1 || end + 2 >= name.length) return undefined;
  return { server: server ?? name.slice(5, end), tool: name.slice(end + 2) };
}
