// URIs of resources as whoever resolves them may read them: `..` and encoded `..` resolved, with or without what is encoded
// undone. Lines of a policy are held against every reading, since the server may have another than the policy's author.
import { posix } from "node:path";
import { withoutBlanks } from "./places.ts";

export interface Readings {
  /** What lets the URI pass has to fit each of these. */
  readonly each: readonly string[];
  /** What refuses it may fit one of these, too. */
  readonly more: readonly string[];
}

const DECODES = 4;
/** Readers of URLs have a host after these, however many slashes there are. */
const SPECIAL = /^(?:https?|wss?|ftp)$/;
const PLAIN = /[\w.~-]/;
const DOTS = /(?:^|[/\\:])\.\.(?:[/\\?#]|$)/;
// oxlint-disable-next-line no-control-regex
const PRINTED = /[^\u0000-\u0020\u007f-\u00ff]/;

export function readingsOf(uri: string): Readings {
  const text = withoutBlanks(uri);
  const end = text.search(/[?#]/);
  const [place, rest] = end === -1 ? [text, ""] : [text.slice(0, end), text.slice(end)];
  const each = new Set([uri]);
  for (const one of resolved(decoded(place, PLAIN, 1))) each.add(one + rest);
  const whole = decoded(text, PRINTED, DECODES);
  const open = resolved(whole);
  if (DOTS.test(whole)) for (const one of open) each.add(one);
  const more = new Set(open);
  for (const one of resolved(decoded(place, PRINTED, DECODES))) more.add(one + rest);
  if (URL.canParse(text)) more.add(new URL(text).href);
  return { each: [...each], more: [...more] };
}

/** Undoes percent-encoding of the characters that are of a kind, so many times. */
function decoded(text: string, kind: RegExp, times: number): string {
  let now = text;
  for (let i = 0; i < times && now.includes("%"); i++) {
    now = now.replaceAll(/%([0-9a-f]{2})/gi, (as, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16));
      return kind.test(char) ? char : as;
    });
  }
  return now;
}

const normal = (path: string): string => (path === "" ? "" : posix.normalize(path));

/** With `.`, `..` and empty parts of the path resolved: below its host, and as if the host were the first part of it. */
function resolved(text: string): string[] {
  const m = /^([a-z][a-z0-9+.-]*):(\/*)([^]*)$/i.exec(text.replaceAll("\\", "/"));
  if (m === null) return [normal(text)];
  const scheme = m[1]!.toLowerCase();
  const slashes = m[2]!.length;
  const rest = m[3]!;
  const special = SPECIAL.test(scheme);
  if (slashes === 2 || special) {
    const host = /^[^/]*/.exec(rest)![0];
    const path = rest.slice(host.length);
    const name = special || scheme === "file" ? host.toLowerCase() : host;
    if (scheme === "file") return [`file://${name === "localhost" ? "" : name}${normal(path)}`];
    return [`${scheme}://${name}${normal(path)}`, `${scheme}://${normal(name + path)}`];
  }
  if (scheme === "file" || slashes > 2) return [`${scheme}://${normal(`/${rest}`)}`];
  return [`${scheme}:${normal(m[2]! + rest)}`];
}
