// Reads the part of KQL that the dashboards use, as the query language of the servers. Written from the language and not
// from the generator: what it does not know is an error. Gives the fields that a query names, too.
type Query = Readonly<Record<string, unknown>>;

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|([():*>]|[^\s():"*>]+))/y;

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

function tokens(text: string): Token[] {
  const all: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`KQL: cannot read ${text.slice(at)}`);
    all.push({ text: found[1] ?? found[2]!, quoted: found[1] !== undefined });
  }
  return all;
}

/** `[not] field: value`, `: (a or b)`, `: *` or `> n`, joined by `and`. */
export function readKql(text: string): { query: Query; fields: string[] } {
  const all = tokens(text);
  const fields: string[] = [];
  const must: Query[] = [];
  const mustNot: Query[] = [];
  let at = 0;
  const next = (): Token => {
    const token = all[at++];
    if (token === undefined) throw new Error(`KQL: ends early: ${text}`);
    return token;
  };
  const value = ({ text: word, quoted }: Token): string | number | boolean => {
    if (quoted) return word;
    if (word === "true" || word === "false") return word === "true";
    const number = Number(word);
    if (Number.isNaN(number)) throw new Error(`KQL: a bare word ${word} in ${text}`);
    return number;
  };
  while (at < all.length) {
    if (at > 0 && next().text !== "and") throw new Error(`KQL: no and: ${text}`);
    let field = next();
    const negated = !field.quoted && field.text === "not";
    if (negated) field = next();
    fields.push(field.text);
    const into = negated ? mustNot : must;
    const sign = next().text;
    if (sign === ">") {
      into.push({ range: { [field.text]: { gt: value(next()) } } });
      continue;
    }
    if (sign !== ":") throw new Error(`KQL: ${sign} after ${field.text}`);
    const token = next();
    if (!token.quoted && token.text === "*") into.push({ exists: { field: field.text } });
    else if (!token.quoted && token.text === "(") {
      const values = [value(next())];
      let between = next();
      while (between.text === "or") {
        values.push(value(next()));
        between = next();
      }
      if (between.text !== ")") throw new Error(`KQL: no ) in ${text}`);
      into.push({ terms: { [field.text]: values } });
    } else into.push({ term: { [field.text]: value(token) } });
  }
  return { query: { bool: { filter: must, must_not: mustNot } }, fields };
}
