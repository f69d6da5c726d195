// The pages against the collector's own viewer, from the printed link on: a session with attacks in its names and texts, read,
// alerted, looked at on every page, acknowledged by key, recorded in the ledger and proven in the browser.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configure, entriesOf, field, newHome, start } from "../../commands/tapline.ts";
import { CHROMIUM, buildServed, launch, open } from "./browser.ts";
import { ATTACKS, expectHarmless } from "./look.ts";

/** The bundled session, with attacks in the names of its tools, its user, its addresses and its texts. */
function attacked(): string {
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  let turn = 0;
  return readFileSync("sample/mcp-session.jsonl", "utf8")
    .replaceAll('"http_post"', `"http_post ${json(ATTACKS[0])}"`)
    .replaceAll('"sam"', `"sam ${json(ATTACKS[1])}"`)
    .replaceAll("https://collect.example.net/in", `https://collect.example.net/in?${json(ATTACKS[10])}`)
    .replaceAll(/"text":"/g, () => `"text":"${json(ATTACKS[turn++ % (ATTACKS.length - 1)]!)} `)
    .replaceAll("Adds two numbers.", `Adds ${json(ATTACKS[12])} ${json(ATTACKS[2])}.`);
}

describe.skipIf(CHROMIUM === undefined)("the pages of a running collector", () => {
  let browser: Browser;
  let collector: ChildProcess;
  let link: string;
  let state: string;
  beforeAll(async () => {
    buildServed();
    const home = newHome();
    const logs = join(home, "logs");
    mkdirSync(logs);
    writeFileSync(join(logs, "session.jsonl"), attacked());
    const config = configure(home, {
      sources: { logs: { type: "file", include: [join(logs, "*.jsonl")] } },
      sinks: { local: { type: "store" } },
    });
    state = join(home, "state");
    collector = start(home, "run", "-c", config);
    link = await new Promise((resolve, reject) => {
      let said = "";
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\/open\?token=\S+/.exec(said);
        if (found !== null && said.includes("ALERT")) resolve(found[0]);
      };
      collector.stdout!.on("data", hear);
      collector.stderr!.on("data", hear);
      collector.once("exit", () => reject(new Error(`the collector ended: ${said}`)));
    });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    collector.kill("SIGTERM");
    if (collector.exitCode === null) await once(collector, "exit");
  });

  test("attacks in what was recorded render on no page, and every page answers", async () => {
    const url = `${new URL(link).origin}/`;
    const { page, wrong, settled } = await open(browser, link, { of: url });
    await page.locator("main h1").waitFor();
    const session = "#/sessions/sample-mcp?show=all";
    const first = await page.evaluate(
      `fetch("/api/rules").then((r) => r.json()).then(({ rules }) => rules.find((r) => r.hits > 0).id)`,
    );
    const dashboards: readonly string[] = await page.evaluate(
      `fetch("/api/dashboards").then((r) => r.json()).then(({ dashboards }) => dashboards.map((d) => d.id))`,
    );
    expect(dashboards.length).toBeGreaterThanOrEqual(6);
    const hashes = [
      "#/alerts?from=all",
      "#/events?from=all",
      "#/sessions?from=all",
      session,
      "#/incidents",
      "#/controls?from=all",
      "#/controls/A.9.4?from=all",
      "#/rules?from=all",
      `#/rules/${encodeURIComponent(String(first))}?from=all`,
      "#/health",
      ...dashboards.map((id) => `#/dashboards/${id}?from=all`),
    ];
    for (const hash of hashes) {
      await page.goto(url + hash);
      await page.locator("main h1").waitFor();
      await settled();
      expect(await page.locator(".trouble").allInnerTexts(), hash).toEqual([]);
      await expectHarmless(page, hash, url);
      if (hash === session)
        expect(await page.locator(".timeline").innerText()).toContain(`http_post ${ATTACKS[0]}`);
    }
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("an alert is acknowledged by key, recorded with who did it, and its entry is proven in the browser", async () => {
    const url = `${new URL(link).origin}/`;
    const { page, wrong } = await open(browser, link, { of: url });
    await page.goto(`${url}#/alerts?from=all`);
    await page.locator(".pane .title").waitFor();
    const name = await page.locator(".pane .title").innerText();
    await page.keyboard.press("a");
    await expect.poll(() => page.locator(".toast").innerText()).toContain("handed to the collector");
    // By itself: the collector records it, the store shows it, the page hears of it.
    await expect
      .poll(() => page.locator(".segments").innerText(), { timeout: 60_000 })
      .toContain("Acknowledged 1");
    await page.goto(`${url}#/alerts?from=all&status=acknowledged`);
    await expect.poll(() => page.locator(".pane .title").innerText()).toBe(name);
    await expect.poll(() => page.locator(".history").innerText()).toContain("acknowledged by");
    const entries = await entriesOf(join(state, "ledger"));
    const said = entries.filter((entry) => field(entry, "event.action") === "alert-triage");
    expect(said.length, JSON.stringify(entries.map((entry) => field(entry, "event.action")).slice(-12))).toBe(
      1,
    );
    expect(field(said[0]!, "user.id")).toBe(String(process.getuid?.()));
    await page.locator(".history a").first().click();
    await page.getByRole("heading", { name: "Proof" }).waitFor();
    await expect
      .poll(
        async () => {
          if ((await page.locator(".checks li").count()) !== 4) await page.reload();
          return page.locator(".checks li").allInnerTexts();
        },
        { timeout: 60_000, interval: 2000 },
      )
      .toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^Holds/)));
    expect(wrong).toEqual([]);
    await page.close();
  });
});
