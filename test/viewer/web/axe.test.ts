// Every page in both themes through axe: no finding that is serious or critical, contrast included.
import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM, build, launch, open } from "./browser.ts";
import { type Fake, serve } from "./fake.ts";
import { type World, worldOf } from "./world.ts";

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}
const RUN = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)`;

describe.skipIf(CHROMIUM === undefined)("accessibility", () => {
  let browser: Browser;
  let fake: Fake;
  let world: World;
  beforeAll(async () => {
    world = worldOf();
    fake = await serve(world, build());
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await fake.close();
  });

  test.each([["light"], ["dark"]])(
    "no serious findings on any page, %s",
    { timeout: 600_000 },
    async (theme) => {
      const { page, settled } = await open(browser, fake.url, { dark: theme === "dark" });
      const session = encodeURIComponent(world.sessions[0]!.id);
      const found: string[] = [];
      const pages: readonly (readonly [string, (() => Promise<void>)?])[] = [
        ["#/alerts"],
        ["#/alerts?status=closed&q=x", () => page.keyboard.press("?")],
        ["#/alerts?level=low", () => page.keyboard.press("u")],
        ["#/alerts?q=y&level=informational"],
        ["#/events", () => page.getByRole("button", { name: "How to ask" }).click()],
        ["#/events?q=nothing-like-this"],
        ["#/events/14"],
        ["#/sessions"],
        [
          `#/sessions/${session}?show=all`,
          () => page.getByRole("button", { name: "Entry and proof" }).first().click(),
        ],
        ["#/incidents"],
        [`#/incidents/${"a".repeat(32)}`],
        ["#/dashboards/operation?filter=user%3Aana"],
        [
          "#/dashboards/exfiltration",
          () => page.locator("#panel-outcomes").getByRole("button", { name: "Table" }).click(),
        ],
        ["#/controls"],
        ["#/controls/A.6.2.6"],
        ["#/controls/A.2.2"],
        ["#/rules"],
        ["#/rules/7d1f0a52-0001"],
        ["#/health"],
        ["#/nowhere"],
      ];
      for (const [hash, act] of pages) {
        await page.goto("about:blank");
        await page.goto(fake.url + hash);
        await page.locator("main h1").waitFor();
        await settled();
        await act?.();
        // Evaluated by the debugger, which the content policy does not bind.
        await page.evaluate(axe.source);
        const findings: readonly Finding[] = await page.evaluate(RUN);
        for (const { id, impact, nodes } of findings) {
          if (["serious", "critical"].includes(impact))
            found.push(
              `${hash}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join("\n  ")}`,
            );
        }
      }
      expect(found).toEqual([]);
      await page.close();
    },
  );
});
