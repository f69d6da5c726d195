// A viewer's server in this process over a state directory, and requests to it as they go over the wire.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { LedgerReader } from "../../src/ledger/reader.ts";
import { Context, type Place } from "../../src/viewer/context.ts";
import type { Secrets } from "../../src/viewer/guard.ts";
import { Rules } from "../../src/viewer/rules.ts";
import { type Viewer, openServer } from "../../src/viewer/server.ts";

export const SECRETS: Secrets = {
  owner: "owner-token-of-a-test",
  reader: "reader-token-of-a-test",
  owner_cookie: "owner-cookie",
  reader_cookie: "reader-cookie",
};

export interface Served {
  readonly port: number;
  readonly context: Context;
  readonly bugs: unknown[];
}

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

export function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tapline-viewer-"));
  closing.push(() => Promise.resolve(rmSync(dir, { recursive: true, force: true })));
  return dir;
}

/** Pages of two files. */
export function newAssets(): string {
  const dir = newDir();
  writeFileSync(join(dir, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(dir, "app-12345678.js"), "export {};");
  return dir;
}

export async function serve(
  place: Place,
  ledger: LedgerReader,
  rules: readonly string[],
  assets_dir: string,
): Promise<Served> {
  const context = await Context.open(place, ledger, new Rules(rules));
  const bugs: unknown[] = [];
  const onBug = (error: unknown): void => void bugs.push(error);
  const viewer: Viewer = await openServer({ context, port: 0, assets_dir, secrets: SECRETS, onBug });
  closing.push(async () => {
    await viewer.close();
    await context.close();
  });
  return { port: viewer.port, context, bugs };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
  /** Whose cookie goes along; `none` for nobody's. */
  readonly as?: "owner" | "reader" | "none";
}

export function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body, as = "owner" }: Ask = {},
): Promise<Answer> {
  const cookie = as === "none" ? {} : { cookie: `tapline-viewer-${port}=${SECRETS[`${as}_cookie`]}` };
  const own =
    method === "POST" ? { origin: `http://127.0.0.1:${port}`, "content-type": "application/json" } : {};
  const options = {
    host: "127.0.0.1",
    port,
    path,
    method,
    agent: false,
    headers: { ...cookie, ...own, ...headers },
  };
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

export const lines = <T>(body: string): T[] =>
  body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
