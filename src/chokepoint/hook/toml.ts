// The servers of a Codex config.toml: `[mcp_servers.NAME]` with command, args and url. No TOML reader: what is not
// written in that plain way (inline tables, multi-line strings, dotted keys elsewhere) is passed over, and such a server
// stays a name.

type Server = { command?: string; args?: string[]; url?: string };

const TABLE = /^\[\s*mcp_servers\s*\.\s*(?:"([^"\\]+)"|'([^']+)'|([\w-]+))\s*\]\s*(?:#.*)?$/;
const KEY = /^(command|args|url)\s*=\s*(.*)$/;
const STRING = /"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/y;

/** A basic or literal string at the start of the text, and what follows it. */
function string(text: string): { value: string; rest: string } | undefined {
  STRING.lastIndex = 0;
  const m = STRING.exec(text);
  if (m === null) return undefined;
  const rest = text.slice(m[0].length);
  if (m[2] !== undefined) return { value: m[2], rest };
  try {
    return { value: JSON.parse(`"${m[1]}"`) as string, rest };
  } catch {
    return undefined;
  }
}

/** Whether nothing but a remark follows. */
const ends = (rest: string): boolean => /^\s*(?:#.*)?$/.test(rest);

function only(text: string): string | undefined {
  const read = string(text);
  return read !== undefined && ends(read.rest) ? read.value : undefined;
}

/** A list of strings; undefined when it is anything else. */
function list(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  const values: string[] = [];
  let rest = text.slice(1).trimStart();
  while (!rest.startsWith("]")) {
    const next = string(rest);
    if (next === undefined) return undefined;
    values.push(next.value);
    rest = next.rest.trimStart();
    if (rest.startsWith(",")) rest = rest.slice(1).trimStart();
    else if (!rest.startsWith("]")) return undefined;
  }
  return ends(rest.slice(1)) ? values : undefined;
}

/** Servers by name. A server with a key that cannot be read is left out. */
export function tomlServers(content: string): Record<string, Server> {
  const servers = new Map<string, Server | undefined>();
  let name: string | undefined;
  const lines = content.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim();
    if (line.startsWith("[")) {
      const table = TABLE.exec(line);
      name = table === null ? undefined : (table[1] ?? table[2] ?? table[3]);
      // A table that is there twice is no TOML.
      if (name !== undefined) servers.set(name, servers.has(name) ? undefined : {});
      continue;
    }
    const key = name === undefined ? null : KEY.exec(line);
    if (key === null) continue;
    let value = key[2]!;
    while (key[1] === "args" && !value.includes("]") && i + 1 < lines.length)
      value += ` ${lines[++i]!.trim()}`;
    const server = servers.get(name!);
    const read = key[1] === "args" ? list(value) : only(value);
    if (server === undefined || read === undefined) servers.set(name!, undefined);
    else Object.assign(server, { [key[1]!]: read });
  }
  const whole = [...servers].filter((entry): entry is [string, Server] => entry[1] !== undefined);
  return Object.fromEntries(whole);
}
