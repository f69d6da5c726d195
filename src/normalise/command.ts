// What a command line does, told by the programs that it runs: does it reach the network, does data leave with it,
// which files does it read and write. Knows programs by name; runs nothing.
import { COPIES, MAILS, NAMES, PIPES, SCRIPTS, WEB, reach, words } from "./command-reach.ts";
import { fileClasses, mayNameFile } from "./paths.ts";
import { type Simple, simpleCommands } from "./shell.ts";

export const TRAITS = [
  "network",
  "upload",
  "encoded",
  "substituted",
  "dns",
  "environment",
  "publish",
] as const;
export type Trait = (typeof TRAITS)[number];

export interface CommandFacts {
  readonly traits: readonly Trait[];
  /** Host that the first command with the network goes to, when it names one that is not this machine. */
  readonly host: string | undefined;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

const ENCODERS = words("base64 base32 xxd od hexdump uuencode gzip zip tar zstd xz bzip2 openssl gpg age");
/** Programs that name a file without showing what is in it. */
const NO_READERS = words(
  "ssh ssh-add ssh-keygen ssh-keyscan ls dir chmod chown stat test [ [[ mkdir touch echo printf find which export git unset file du realpath dirname basename cd pushd kubectl docker aws gcloud claude codex gemini set source . true : pgrep pkill kill code",
);
const WRITERS = words("cp mv install ln rsync scp tee rsync");
const EDITORS = words("tee truncate sed perl crontab vim nano rm shred unlink");
const INTERESTING = new RegExp(
  String.raw`\b(?:${[...WEB, ...PIPES, ...COPIES, ...NAMES, ...MAILS].join("|")}|s3|gsutil|azcopy|gist|env|printenv|set|export|publish|push|twine|requests|urllib|urlopen|fetch|axios|http\.client|socket|smtplib)\b`,
  "i",
);

/** What a command line does; undefined when it does nothing that is told. */
export function factsOf(line: string): CommandFacts | undefined {
  const files = mayNameFile(line);
  if (!files && !INTERESTING.test(line)) return undefined;
  const all = simpleCommands(line);
  const traits = new Set<Trait>();
  const reads = new Set<string>();
  const writes = new Set<string>();
  let host: string | undefined;
  for (let i = 0; i < all.length; i++) {
    const one = all[i]!;
    if (files) filesOf(one, reads, writes);
    if (isEnvironment(one)) traits.add("environment");
    if (isPublish(one)) traits.add("publish");
    const target = reach(one);
    if (target === undefined) continue;
    traits.add(NAMES.has(one.program) ? "dns" : "network");
    if (target !== "" && host === undefined) host = target;
    leaving(one, i, all, traits);
  }
  if (traits.size === 0 && reads.size === 0 && writes.size === 0) return undefined;
  const told = TRAITS.filter((trait) => traits.has(trait));
  return { traits: told, host, reads: [...reads], writes: [...writes] };
}

const BODY =
  /^(?:-d|-F|-T|--data\S*|--form\S*|--upload-file\S*|--json\S*|--post-data\S*|--post-file\S*|--body-file\S*|--body-data\S*|-d\S+|-F\S+|-T\S+|-InFile|-Body)$/i;

/** Addresses into which only what is no secret is put: the machine's kind, a version, the time. */
const HARMLESS =
  /^(?:[^$`]|\$(?!\()|\$\((?:uname|arch|date|nproc|dpkg --print-architecture|lsb_release|git (?:rev-parse|describe)|node -p|seq)\b[^()|;&]*\))*$/;

/** What goes out with a command that reaches the network. */
function leaving(one: Simple, place: number, all: readonly Simple[], traits: Set<Trait>): void {
  const { program, args } = one;
  const dns = NAMES.has(program);
  const fed = one.piped >= 0 || one.reads.length > 0;
  if (!dns && uploads(one, fed)) traits.add("upload");
  for (let feeder = one.piped; feeder >= 0; feeder = all[feeder]!.piped) {
    if (encodes(all[feeder]!)) traits.add("encoded");
  }
  for (let i = place + 1; i < all.length; i++) {
    if (!isWithin(all, i, place)) continue;
    if (encodes(all[i]!)) traits.add("encoded");
  }
  // Output of a command that becomes part of an address, or of a name that is looked up.
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!/\$\(|`/.test(arg) || !(dns || /^(?:https?:\/\/|[\w.-]+\.[a-z]{2,}\/)/i.test(arg))) continue;
    if (!HARMLESS.test(arg)) traits.add("substituted");
  }
}

function uploads(one: Simple, fed: boolean): boolean {
  const { program, args } = one;
  if (WEB.has(program))
    return args.some((arg) => BODY.test(arg)) || (/^(?:http|https|xh|httpie)$/.test(program) && fed);
  if (program === "scp" || program === "rsync" || program === "rclone") {
    const last = args.findLast((arg) => !arg.startsWith("-")) ?? "";
    return /^[^/\s]+:/.test(last);
  }
  if (PIPES.has(program)) return fed;
  if (COPIES.has(program)) return fed || args.some((arg) => /\bput\b/.test(arg)) || args.includes("-T");
  if (MAILS.has(program)) return true;
  if (SCRIPTS.has(program))
    return /\.post\(|\.put\(|POST|data=|body:|\.send\(|sendall\(|sendmail\(/.test(args.join(" "));
  if (/^(?:aws|gsutil|gcloud|az|azcopy)$/.test(program))
    return (
      /^(?:s3|gs|https?):\/\//.test(args.findLast((arg) => !arg.startsWith("-")) ?? "") ||
      args.includes("upload") ||
      args.includes("put-object")
    );
  return true;
}

function encodes(one: Simple): boolean {
  if (!ENCODERS.has(one.program)) return false;
  if (one.program === "tar") return !/^-?[a-z]*x/.test(one.args[0] ?? "");
  return !one.args.some(
    (arg) => arg === "-d" || arg === "-D" || arg === "--decode" || arg === "-r" || arg === "s_client",
  );
}

function isWithin(all: readonly Simple[], place: number, outer: number): boolean {
  let at = all[place]!.within;
  while (at > outer) at = all[at]!.within;
  return at === outer;
}

/** Shows the whole environment. */
function isEnvironment(one: Simple): boolean {
  const { program, args } = one;
  if (program === "printenv" || program === "env") return args.length === 0;
  if (program === "export" || program === "declare")
    return args[0] === "-p" || args[0] === "-x" ? args.length === 1 : false;
  if (program === "set") return args.length === 0;
  return program === "get-childitem" || program === "gci" || program === "dir"
    ? /^env:/i.test(args[0] ?? "")
    : false;
}

function isPublish(one: Simple): boolean {
  const said = `${one.program} ${one.args.slice(0, 2).join(" ")}`;
  if (one.args.includes("--dry-run")) return false;
  return /^(?:npm|pnpm|yarn|cargo|poetry|uv|flit|hatch|vsce|ovsx) (?:npm )?publish\b|^twine upload\b|^gem push\b|^docker push\b|^dotnet nuget push\b/.test(
    said,
  );
}

function filesOf(one: Simple, reads: Set<string>, writes: Set<string>): void {
  const { program, args } = one;
  for (const path of one.writes) add(writes, path);
  for (const path of one.reads) add(reads, path);
  const edits = EDITORS.has(program) && (program !== "sed" || args.some((arg) => arg.startsWith("-i")));
  const named = args.filter((arg) => !arg.startsWith("-") || arg.includes("=") || arg.includes("@"));
  for (let i = 0; i < named.length; i++) {
    const last = i === named.length - 1;
    if (edits || (WRITERS.has(program) && last && named.length > 1)) add(writes, named[i]!);
    else if (!NO_READERS.has(program)) add(reads, named[i]!);
  }
}

function add(to: Set<string>, path: string): void {
  const classes = fileClasses(path);
  if (classes !== undefined) for (let i = 0; i < classes.length; i++) to.add(classes[i]!);
}
