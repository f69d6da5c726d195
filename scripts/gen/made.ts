// Which event classes the code makes by itself. Taken from all of src/, so that no list of files has to be kept: a class is
// made where its name is handed to what makes events, or stands in a file that names classes by their type.

export interface Source {
  readonly path: string;
  readonly text: string;
}

/** What takes the name of a class and makes an event of it, or has one made. */
const MAKER =
  /(?:\b(?:eventOf|event|begin|said|started|single|toolCalled|self\.add)|#event)\((?:[^()"]*,)?\s*$/;
/** The type of classes' names: a file that imports it chooses among them. */
const NAMES_CLASSES = /import (?:type )?\{[^}]*\bAction\b[^}]*\} from "[^"]*generated\/classes\.ts"/;
/** A name that is looked for, or given to a field: nothing is made there. */
const ELSEWHERE = /(?:[=!]==|case|\]\s*(?:\?\?)?=|\.has\(|includes\()\s*$/;

/** The classes among `names` that the sources make. */
export function classesMade(names: readonly string[], sources: readonly Source[]): Set<string> {
  const bare = sources.map(({ text }) => text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, ""));
  return new Set(names.filter((name) => bare.some((text) => makes(text, `"${name}"`))));
}

function makes(text: string, quoted: string): boolean {
  for (let at = text.indexOf(quoted); at !== -1; at = text.indexOf(quoted, at + 1)) {
    const before = text.slice(Math.max(0, at - 200), at);
    // One of two classes by a condition is an argument all the same.
    const argument = before.replace(/\((?:[^()]|\([^()]*\))*\?\s*(?:"[^"]*"\s*:\s*)?$/, "(");
    if (MAKER.test(argument)) return true;
    if (NAMES_CLASSES.test(text) && !ELSEWHERE.test(before)) return true;
  }
  return false;
}
