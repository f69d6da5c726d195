// What tests of the pages stand on: Chromium of this machine, driven by playwright-core and said aloud when there is none; the
// pages built into a directory of the test's own; a page that keeps what went wrong in it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type Page, chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
];

export const CHROMIUM = [process.env["TAPLINE_TEST_CHROMIUM"] ?? "", ...PLACES].find(
  (path) => path !== "" && existsSync(path),
);
if (CHROMIUM === undefined)
  console.warn(
    "SKIPPED: tests of the viewer's pages, since no Chromium is here: apt-get install chromium, or TAPLINE_TEST_CHROMIUM=PATH",
  );

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM!,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });

export function build(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-pages-"));
  execFileSync(process.execPath, ["scripts/web.ts", dir], { stdio: "pipe" });
  return dir;
}

/** What a collector serves, unless it is there and no source is newer. */
export function buildServed(): void {
  const changed = (dir: string): number =>
    Math.max(
      ...readdirSync(dir, { recursive: true, encoding: "utf8" }).map(
        (name) => statSync(join(dir, name)).mtimeMs,
      ),
    );
  if (existsSync("dist/viewer/index.html") && changed("dist/viewer") > changed("src/viewer/web")) return;
  execFileSync(process.execPath, ["scripts/web.ts"], { stdio: "pipe" });
}

export interface Watched {
  readonly page: Page;
  /** Errors of scripts, refusals by the content policy, dialogs, requests to other places. */
  readonly wrong: string[];
  /** When the page has asked everything and been answered. */
  settled(): Promise<void>;
}

const QUIET_MS = 250;

/** Waits until no question has been under way for a moment; the one connection that stays open does not count. */
function settling(page: Page): () => Promise<void> {
  const asked = new Set<unknown>();
  let last = Date.now();
  page.on("request", (request) => {
    if (!request.url().endsWith("/api/live")) asked.add(request);
    last = Date.now();
  });
  const answered = (request: unknown): void => {
    asked.delete(request);
    last = Date.now();
  };
  page.on("requestfinished", answered);
  page.on("requestfailed", answered);
  return async () => {
    last = Date.now();
    while (asked.size > 0 || Date.now() - last < QUIET_MS)
      await new Promise((resolve) => setTimeout(resolve, 50));
  };
}

/** `of`: the address that everything comes from, where the first is another. `expected`: statuses of answers that the test asks for, which Chromium tells as errors too. */
export async function open(
  browser: Browser,
  url: string,
  options: {
    readonly dark?: boolean;
    readonly zone?: string;
    readonly expected?: RegExp;
    readonly of?: string;
  } = {},
): Promise<Watched> {
  const page = await browser.newPage({
    viewport: { width: 1600, height: 1000 },
    colorScheme: options.dark === true ? "dark" : "light",
    timezoneId: options.zone ?? "Europe/Berlin",
    reducedMotion: "reduce",
  });
  const wrong: string[] = [];
  const settled = settling(page);
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type()) || options.expected?.test(message.text()) === true)
      return;
    wrong.push(`${message.type()}: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const to = request.url();
    if (!to.startsWith(options.of ?? url) && !to.startsWith("blob:") && !to.startsWith("data:"))
      wrong.push(`request: ${to}`);
  });
  await page.goto(url);
  return { page, wrong, settled };
}
