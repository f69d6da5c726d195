// A command line cut into its simple commands: words, where they write, what feeds them. Enough of a POSIX shell to
// tell a program from a word in a message; expands nothing and runs nothing.
import { LIMITS } from "../core/limits.ts";

/** One program with its words. */
export interface Simple {
  /** The program without directory and `.exe`, in lower case. */
  readonly program: string;
  /** Its words after the program, without quotes. */
  readonly args: readonly string[];
  /** Files that it writes by redirection. */
  readonly writes: readonly string[];
  /** Files that it reads by redirection. */
  readonly reads: readonly string[];
  /** Place in the list of the command whose output it reads, through a pipe; -1 for none. */
  readonly piped: number;
  /** Place in the list of the command of whose words it is a substitution; -1 for none. */
  readonly within: number;
}

/** What a shell runs, in order; at most LIMITS.shell_commands of the first LIMITS.shell_chars. */
export function simpleCommands(line: string): Simple[] {
  const out: Simple[] = [];
  const text = line.length > LIMITS.shell_chars ? line.slice(0, LIMITS.shell_chars) : line;
  new Lexer(text.includes("<<") ? withoutDocuments(text) : text, out, -1, 0).read();
  return out;
}

const SHELLS = new Set(["sh", "bash", "zsh", "dash", "ksh", "fish"]);
const BEFORE = new Set(
  "sudo doas env nohup time exec command builtin xargs then do else if while until ! { stdbuf nice setsid".split(
    " ",
  ),
);
// Words after these belong to them, then the program comes.
const TAKES = new Map([
  ["timeout", 1],
  ["-u", 1],
  ["-g", 1],
  ["-n", 1],
  ["-I", 1],
  ["-L", 1],
  ["-P", 1],
]);

/** Cuts out the bodies of here-documents, which are data; those given to an interpreter stay. */
function withoutDocuments(text: string): string {
  const start = /<<-?\s*(["']?)([A-Za-z_]\w*)\1/g;
  let out = "";
  let from = 0;
  for (let m = start.exec(text); m !== null; m = start.exec(text)) {
    const body = text.indexOf("\n", m.index);
    if (body === -1) break;
    const line = text.slice(text.lastIndexOf("\n", m.index) + 1, m.index);
    if (/(?:^|[|;&\s])(?:ba|z|da|k)?sh\s*(?:-\S*\s*)*$/.test(line)) continue;
    const end = endOfDocument(text, body, m[2]!);
    out += text.slice(from, body);
    from = start.lastIndex = end;
  }
  return out + text.slice(from);
}

function endOfDocument(text: string, body: number, word: string): number {
  for (let at = text.indexOf(word, body); at !== -1; at = text.indexOf(word, at + word.length)) {
    const line = text.lastIndexOf("\n", at) + 1;
    const next = at + word.length;
    if (line > body && text.slice(line, at).trim() === "" && (next === text.length || text[next] === "\n"))
      return next;
  }
  return text.length;
}

class Lexer {
  readonly #text: string;
  readonly #out: Simple[];
  readonly #depth: number;
  readonly #within: number;
  #words: string[] = [];
  #writes: string[] = [];
  #reads: string[] = [];
  #piped = -1;
  #at = 0;
  /** Substitutions met in the words of the command in hand; read when it has its place. */
  #inner: string[] = [];

  constructor(text: string, out: Simple[], within: number, depth: number) {
    this.#text = text;
    this.#out = out;
    this.#within = within;
    this.#depth = depth;
  }

  read(): void {
    const text = this.#text;
    while (this.#at < text.length && this.#out.length < LIMITS.shell_commands) {
      const c = text[this.#at]!;
      if (c === " " || c === "\t" || c === "\r") this.#at++;
      else if (c === "\\" && text[this.#at + 1] === "\n") this.#at += 2;
      else if (c === "#") this.#skipLine();
      else if (c === "|" && text[this.#at + 1] !== "|") {
        const last = this.#end();
        this.#piped = last;
        this.#at += text[this.#at + 1] === "&" ? 2 : 1;
      } else if (c === "&" && text[this.#at + 1] === ">") this.#redirect();
      else if (";&|\n()".includes(c)) {
        this.#end();
        this.#at++;
      } else if (c === ">" || c === "<") this.#redirect();
      else {
        const word = this.#word();
        if (/^\d$/.test(word) && (text[this.#at] === ">" || text[this.#at] === "<")) continue;
        this.#words.push(word);
      }
    }
    this.#end();
  }

  #skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #redirect(): void {
    const text = this.#text;
    if ((text[this.#at] === "<" || text[this.#at] === ">") && text[this.#at + 1] === "(") {
      const start = this.#at + 2;
      this.#at = closing(text, start);
      this.#inner.push(text.slice(start, this.#at++));
      return;
    }
    const writes = text[this.#at] !== "<";
    while (this.#at < text.length && "<>&|".includes(text[this.#at]!)) this.#at++;
    while (text[this.#at] === " ") this.#at++;
    const target = this.#word();
    if (target !== "" && !/^[\d-]$/.test(target)) (writes ? this.#writes : this.#reads).push(target);
    else if (target === "" && this.#at < text.length) this.#at++;
  }

  /** The next word, without quotes; substitutions in it stay in it and are kept to be read. */
  #word(): string {
    const text = this.#text;
    let out = "";
    let quote = "";
    for (; this.#at < text.length; this.#at++) {
      const c = text[this.#at]!;
      if (quote === "'") {
        if (c === "'") quote = "";
        else out += c;
        continue;
      }
      if (c === "\\") {
        out += text[++this.#at] ?? "";
        continue;
      }
      if (c === "`" || (c === "$" && text[this.#at + 1] === "(")) {
        const start = this.#at + (c === "`" ? 1 : 2);
        const end = c === "`" ? indexOr(text, "`", start) : closing(text, start);
        this.#inner.push(text.slice(start, end));
        out += text.slice(this.#at, end + 1);
        this.#at = end;
        continue;
      }
      if (quote === "" && (c === "'" || c === '"')) quote = c;
      else if (quote === c) quote = "";
      else if (quote === "" && " \t\r\n;&|()<>".includes(c)) break;
      else out += c;
    }
    return out;
  }

  /** Ends the command in hand, and gives its place; the last one's when it had no words. */
  #end(): number {
    const [words, inner] = [this.#words, this.#inner];
    const at = programOf(words);
    const place = this.#out.length;
    if (words.length > 0 || this.#writes.length > 0 || inner.length > 0) {
      // `env` alone is a program of its own.
      const name = words[at] ?? (words.includes("env") ? "env" : "");
      const program = name
        .replace(/^.*[\\/]/, "")
        .replace(/\.exe$/i, "")
        .toLowerCase();
      const args = words.slice(at + 1);
      const [piped, within] = [this.#piped, this.#within];
      this.#out.push({ program, args, writes: this.#writes, reads: this.#reads, piped, within });
      if (this.#depth < LIMITS.shell_depth) {
        for (const text of inner) new Lexer(text, this.#out, place, this.#depth + 1).read();
        const script = scriptOf(program, args);
        if (script !== undefined) new Lexer(script, this.#out, this.#within, this.#depth + 1).read();
      }
      this.#words = [];
      this.#inner = [];
      this.#writes = [];
      this.#reads = [];
      this.#piped = -1;
      return place;
    }
    return place - 1;
  }
}

/** Place of the program among the words: behind assignments and the programs that run another. */
function programOf(words: readonly string[]): number {
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (/^[A-Za-z_]\w*=/.test(word)) at++;
    else if (at > 0 && word.startsWith("-")) at += 1 + (TAKES.get(word) ?? 0);
    else if (TAKES.has(word)) at += 2;
    else if (BEFORE.has(word)) at++;
    else break;
  }
  return at;
}

/** What `sh -c` or `eval` runs. */
function scriptOf(program: string, args: readonly string[]): string | undefined {
  if (program === "eval") return args.join(" ");
  if (program === "ssh" || !SHELLS.has(program)) return undefined;
  const at = args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
  return at === -1 ? undefined : args[at + 1];
}

function indexOr(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at === -1 ? text.length : at;
}

/** Place of the parenthesis that closes the one before `start`. */
function closing(text: string, start: number): number {
  let open = 1;
  for (let at = start; at < text.length; at++) {
    const c = text[at];
    if (c === "\\") at++;
    else if (c === "'") at = indexOr(text, "'", at + 1);
    else if (c === "(") open++;
    else if (c === ")" && --open === 0) return at;
  }
  return text.length;
}
