// What rsyslog is told: mmjsonparse, RainerScript, omelasticsearch. RainerScript has no lists: the tags are one text. Without
// a larger least batch it would send a few events a request.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, type Condition, FIELDS, type Peer, conditionsOf, isSent } from "./work.ts";

const at = (path: string): string => path.replaceAll(".", "!");

function test({ from, operator, value }: Condition): string {
  const field = `$!${at(from)}`;
  if (operator === "equals") return `${field} == "${value}"`;
  if (operator === "contains") return `${field} contains "${value}"`;
  // A dollar would begin a variable.
  return `re_match(${field}, "${value.replaceAll("$", "\\$")}")`;
}

function work(of: Case): string[] {
  if (of === "a") return [];
  return [
    'set $.tags = "";',
    ...conditionsOf(of).map((one) => `if ${test(one)} then { set $.tags = $.tags & " ${one.name}"; }`),
    ...FIELDS.map(([field, from]) => {
      const set = `set $.out!${at(field)} = $!${at(from)};`;
      return from.startsWith("msg.") ? `if exists($!${at(from)}) then { ${set} }` : set;
    }),
    "set $.out!tags = $.tags;",
  ];
}

export const rsyslog: Peer = {
  name: "rsyslog",
  binaries: ["rsyslogd"],
  version: ["-v"],
  lacks(command, dir) {
    // A package of its own; without it the daemon runs all the same, and sends nothing.
    const file = join(dir, "modules.conf");
    writeFileSync(file, `module(load="omelasticsearch")\naction(type="omfile" file="/dev/null")\n`);
    return spawnSync(command, ["-N1", "-f", file]).status === 0 ? undefined : "omelasticsearch";
  },
  configure(of, { input, url, dir }) {
    const { hostname, port } = isSent(of) ? new URL(url) : { hostname: "", port: "" };
    const out = isSent(of)
      ? `action(type="omelasticsearch" server="${hostname}" serverport="${port}" template="document" searchIndex="bench" searchType="" bulkmode="on" queue.type="linkedList" queue.size="20000" queue.dequeuebatchsize="2000" queue.mindequeuebatchsize="2000" queue.mindequeuebatchsize.timeout="500" queue.workerthreads="2" queue.timeoutenqueue="60000")`
      : 'action(type="omfile" file="/dev/null" template="nothing")';
    const config = [
      `global(workDirectory="${dir}" maxMessageSize="256k")`,
      'module(load="imfile" mode="inotify")',
      'module(load="mmjsonparse")',
      ...(isSent(of) ? ['module(load="omelasticsearch")'] : []),
      'template(name="document" type="string" string="%$.out%")',
      'template(name="nothing" type="string" string="")',
      `input(type="imfile" file="${input}" tag="bench" ruleset="work" readMode="0" freshStartTail="off")`,
      'ruleset(name="work" queue.type="fixedArray" queue.size="20000" queue.dequeuebatchsize="1024" queue.workerthreads="2" queue.timeoutenqueue="60000") {',
      '  action(type="mmjsonparse" cookie="")',
      '  if $parsesuccess == "OK" then {',
      ...[...work(of), out].map((line) => `    ${line}`),
      "  }",
      "}",
      "",
    ].join("\n");
    return {
      files: { "rsyslog.conf": config },
      args: ["-n", "-i", `${dir}/rsyslog.pid`, "-f", `${dir}/rsyslog.conf`],
    };
  },
};
