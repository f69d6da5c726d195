// The page's files, as `npm run build:web` made them: known by name beforehand, so that no path of a request is ever opened.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Files of the built page by path; none when it was not built. */
export function readAssets(dir: string): Map<string, Asset> {
  const assets = new Map<string, Asset>();
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return assets;
  }
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined || !statSync(join(dir, name)).isFile()) continue;
    assets.set(`/${name}`, { type, bytes: readFileSync(join(dir, name)) });
  }
  const page = assets.get("/index.html");
  if (page !== undefined) assets.set("/", page);
  return assets;
}

/** What is shown in place of a page that was not built, or to somebody who has no link. Nothing of a request is in it. */
export const MISSING =
  "The viewer's pages were not built.\n\nRun `npm ci` (or `npm run prepare`) where Tapline is installed, then start it again.\n";
export const LOCKED =
  "This viewer opens with its link only.\n\nOpen the link that `tapline run` printed; `tapline view` prints it again.\n";
