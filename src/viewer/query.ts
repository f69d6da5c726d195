// The search language: text to terms and back. Pure, without imports, so that the page uses the same one. Knows nothing of
// types of fields: where.ts refuses what a field cannot be asked.
//
//   tool:Bash -outcome:success user:(ann bob) file.path:/etc/* rule.name:* bytes_out:>1000 "two words" word

/** One thing that a hit must meet; all of them together. */
export type Term = { readonly not: boolean } & (
  | { readonly kind: "is"; readonly field: string; readonly values: readonly Value[] }
  | { readonly kind: "there"; readonly field: string }
  | { readonly kind: "above" | "below"; readonly field: string; readonly value: string }
  /** Somewhere in what was said, called or given back. */
  | { readonly kind: "text"; readonly text: string }
);
export interface Value {
  readonly text: string;
  /** A value that begins so. */
  readonly prefix: boolean;
}

/** Short names of the fields that are asked most. */
export const ALIASES: Readonly<Record<string, string>> = {
  action: "event.action",
  agent: "service.name",
  command: "process.command_line",
  domain: "destination.domain",
  file: "file.path",
  host: "host.name",
  index: "event.sequence",
  level: "tapline.alert.level",
  outcome: "event.outcome",
  rule: "rule.name",
  server: "tapline.server.name",
  session: "gen_ai.conversation.id",
  tool: "gen_ai.tool.name",
  url: "url.full",
  user: "user.name",
  verdict: "tapline.decision.verdict",
};

/** What has no dot and goes on with `//` is the begin of an address. */
const FIELD = /^(-?)(@\w+|[A-Za-z]\w*(?:\.\w+)+|message|[A-Za-z]\w*(?=:(?!\/\/))):/;
const NUMBER = /^([<>])([^\s()"]+)/;

class Reader {
  readonly #text: string;
  #at = 0;
  problem: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }
  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  /** A quoted or a bare text; a bare one that ends in `*` is the beginning of a value. */
  atom(): Value {
    if (this.#text[this.#at] === '"') return { text: this.#quoted(), prefix: false };
    const [bare] = /^[^\s()"]*/.exec(this.rest)!;
    this.#at += bare.length;
    if (bare.endsWith("*") && !bare.endsWith("\\*")) return { text: plain(bare.slice(0, -1)), prefix: true };
    return { text: plain(bare), prefix: false };
  }

  #quoted(): string {
    let text = "";
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      let char = this.#text[this.#at]!;
      if (char === '"') {
        this.#at++;
        return text;
      }
      if (char === "\\") char = this.#text[++this.#at] ?? "";
      text += char;
    }
    this.problem = "a quotation that does not end";
    return text;
  }
}

const plain = (bare: string): string => bare.replaceAll("\\*", "*");

function readList(reader: Reader): Value[] {
  const values: Value[] = [];
  reader.skip(1);
  for (reader.space(); !reader.done && !reader.rest.startsWith(")"); reader.space()) {
    if (reader.rest.startsWith("(")) break;
    values.push(reader.atom());
  }
  if (reader.rest.startsWith(")")) reader.skip(1);
  else reader.problem = "a list that does not end";
  return values;
}

function readField(reader: Reader, not: boolean, field: string): Term {
  if (reader.rest.startsWith("(")) return { kind: "is", not, field, values: readList(reader) };
  const range = NUMBER.exec(reader.rest);
  if (range !== null) {
    reader.skip(range[0].length);
    return { kind: range[1] === ">" ? "above" : "below", not, field, value: range[2]! };
  }
  const value = reader.atom();
  if (value.prefix && value.text === "") return { kind: "there", not, field };
  return { kind: "is", not, field, values: [value] };
}

/** The terms of a question, or what is wrong with it. */
export function parseQuery(text: string): Term[] | string {
  const reader = new Reader(text);
  const terms: Term[] = [];
  for (reader.space(); !reader.done && reader.problem === undefined; reader.space()) {
    const found = FIELD.exec(reader.rest);
    if (found !== null) {
      reader.skip(found[0].length);
      const name = found[2]!;
      const field = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name;
      const term = readField(reader, found[1] === "-", field);
      if (term.kind === "is" && term.values.length === 0) return `${name}: has no value`;
      terms.push(term);
      continue;
    }
    const not = /^-[^\s]/.test(reader.rest);
    if (not) reader.skip(1);
    if (/^[()]/.test(reader.rest)) return "brackets stand after a field only; quote them to search for them";
    const { text: word, prefix } = reader.atom();
    const whole = prefix ? `${word}*` : word;
    if (whole !== "") terms.push({ kind: "text", not, text: whole });
  }
  return reader.problem ?? terms;
}

function quote(text: string): string {
  const bare = /^[^\s()"\\*<>-][^\s()"\\*]*$/.test(text) && !FIELD.test(text);
  return bare ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function atomText({ text, prefix }: Value): string {
  // A beginning cannot be quoted: it ends where the first space is.
  return prefix ? `${text.replaceAll(/[\s()"].*$/g, "").replaceAll("*", "\\*")}*` : quote(text);
}

/** A term as it is written. */
export function termText(term: Term): string {
  const sign = term.not ? "-" : "";
  switch (term.kind) {
    case "text":
      return sign + quote(term.text);
    case "there":
      return `${sign}${term.field}:*`;
    case "above":
    case "below":
      return `${sign}${term.field}:${term.kind === "above" ? ">" : "<"}${term.value}`;
    case "is":
    default: {
      const values = term.values.map(atomText);
      return `${sign}${term.field}:${values.length === 1 ? values[0]! : `(${values.join(" ")})`}`;
    }
  }
}

/** A question as it is written: parseQuery gives the same terms back. */
export function queryText(terms: readonly Term[]): string {
  return terms.map(termText).join(" ");
}
