// What Fluent Bit is told: its own JSON parser, and one Lua function for all the rest, since a filter for each condition
// would pack the record anew each time. Lua has no regular expressions: patterns stand for them.
import { type Case, type Condition, FIELDS, type Peer, conditionsOf, isSent } from "./work.ts";

const PARSERS = "[PARSER]\n    Name line\n    Format json\n";

/** A path, nil where a part of it is missing. */
function at(path: string): string {
  const parts = path.split(".");
  let text = "r";
  const all = parts.map((part) => (text += `["${part}"]`));
  return all.length === 1 ? text : `(${all.join(" and ")})`;
}

function test({ from, operator, value, lua }: Condition, local: (path: string) => string): string {
  const text = local(from);
  if (operator === "equals") return `${text} == "${value}"`;
  if (operator === "contains") return `${text} and find(${text}, "${value}", 1, true)`;
  return `${text} and (${lua!.map((one) => `find(${text}, "${one}")`).join(" or ")})`;
}

function script(of: Case): string {
  const conditions = conditionsOf(of);
  const read = [...new Set(conditions.map(({ from }) => from))];
  const local = (path: string): string => `v${read.indexOf(path)}`;
  const document = new Map<string, string>();
  for (const [field, from] of FIELDS) document.set(field, at(from));
  return [
    "local find = string.find",
    "function work(tag, time, r)",
    // A line that is no JSON is left out, as the others do.
    '  if r["ts"] == nil then return -1, 0, 0 end',
    "  local tags = {}",
    ...read.map((path) => `  local ${local(path)} = ${at(path)}`),
    ...conditions.map((one) => `  if ${test(one, local)} then tags[#tags + 1] = "${one.name}" end`),
    `  return 2, 0, ${nested(document)}`,
    "end",
    "",
  ].join("\n");
}

/** Dotted fields as one Lua table of tables. */
function nested(fields: ReadonlyMap<string, string>): string {
  const groups = new Map<string, Map<string, string>>();
  let out = "";
  for (const [field, value] of fields) {
    const dot = field.indexOf(".");
    const name = dot === -1 ? field : field.slice(0, dot);
    if (dot === -1) out += `["${name}"] = ${value}, `;
    else {
      let group = groups.get(name);
      if (group === undefined) groups.set(name, (group = new Map<string, string>()));
      group.set(field.slice(dot + 1), value);
    }
  }
  for (const [name, group] of groups) out += `["${name}"] = ${nested(group)}, `;
  return fields.has("@timestamp") ? `{ ${out}tags = #tags > 0 and tags or nil }` : `{ ${out}}`;
}

export const fluentBit: Peer = {
  name: "Fluent Bit",
  binaries: ["fluent-bit"],
  version: ["--version"],
  configure(of, { input, url, dir }) {
    const { hostname, port } = isSent(of) ? new URL(url) : { hostname: "", port: "" };
    const out = isSent(of)
      ? `    Name es\n    Host ${hostname}\n    Port ${port}\n    Index bench\n    Suppress_Type_Name On\n    Time_Key @sent\n    Write_Operation create\n    Generate_ID On\n    Buffer_Size False\n`
      : "    Name null\n";
    const filter =
      of === "a" ? "" : `[FILTER]\n    Name lua\n    Match *\n    script ${dir}/work.lua\n    call work\n`;
    const config =
      `[SERVICE]\n    Flush 0.2\n    Parsers_File ${dir}/parsers.conf\n    Log_Level error\n` +
      `[INPUT]\n    Name tail\n    Path ${input}\n    Read_from_Head On\n    Parser line\n    Mem_Buf_Limit 256M\n` +
      "    Buffer_Chunk_Size 1M\n    Buffer_Max_Size 8M\n" +
      `${filter}[OUTPUT]\n    Match *\n${out}`;
    return {
      files: { "fluent-bit.conf": config, "parsers.conf": PARSERS, "work.lua": of === "a" ? "" : script(of) },
      args: ["--quiet", "-c", `${dir}/fluent-bit.conf`],
    };
  },
};
