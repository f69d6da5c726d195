// Attacks in every recorded text on every page: nothing runs, nothing is fetched, no element or link comes of them, and what
// cannot be seen is shown as a mark.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { visible } from "../../../src/viewer/web/text.ts";
import { CHROMIUM, build, launch, open } from "./browser.ts";
import { type Fake, serve } from "./fake.ts";
import { ATTACKS, expectHarmless } from "./look.ts";
import { type World, worldOf } from "./world.ts";

const pagesOf = (world: World): Record<string, string> => {
  const session = encodeURIComponent(world.sessions[0]!.id);
  const rule = encodeURIComponent(world.rules[0]!.id);
  const alert = encodeURIComponent(world.alerts[0]!.event.id);
  return {
    alerts: `#/alerts?status=all&alert=${alert}&q=${encodeURIComponent(ATTACKS[0])}`,
    events: `#/events?q=${encodeURIComponent(ATTACKS[1])}`,
    event: "#/events/14",
    sessions: "#/sessions",
    session: `#/sessions/${session}?show=all`,
    incidents: "#/incidents",
    incident: `#/incidents/${"a".repeat(32)}`,
    dashboard: `#/dashboards/operation?filter=${encodeURIComponent(ATTACKS[2])}`,
    controls: "#/controls",
    control: "#/controls/A.6.2.6",
    rules: "#/rules",
    rule: `#/rules/${rule}`,
    health: "#/health",
    missing: `#/${encodeURIComponent(ATTACKS[0])}`,
  };
};

describe.skipIf(CHROMIUM === undefined)("attacks in recorded text", () => {
  let browser: Browser;
  let fake: Fake;
  let world: World;
  beforeAll(async () => {
    // Every text in turn, so that each field meets each attack somewhere; the text itself stays, to tell values apart.
    let turn = 0;
    const met = new Map<string, string>();
    world = worldOf((text) => {
      const attack =
        met.get(text) ?? `${ATTACKS[turn++ % ATTACKS.length]!} ${text} ${ATTACKS[turn++ % ATTACKS.length]!}`;
      met.set(text, attack);
      return attack;
    });
    fake = await serve(world, build());
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await fake.close();
  });

  test("nothing of them renders on any page, in charts, tooltips, dialogs or titles", async () => {
    const { page, wrong, settled } = await open(browser, fake.url);
    let marks = 0;
    for (const [name, hash] of Object.entries(pagesOf(world))) {
      await page.goto(fake.url + hash);
      await page.locator("main h1").waitFor();
      await settled();
      if (name === "session") await page.getByRole("button", { name: "Entry and proof" }).first().click();
      if (name === "dashboard") {
        await page.locator("#panel-outcomes svg").waitFor();
        await page.locator("#panel-levels .chart").hover();
        await page.locator("#panel-tools").getByRole("button", { name: "Table" }).click();
      }
      if (name === "alerts") await page.locator(".pane").waitFor();
      await settled();
      expect(await page.locator(".waiting").count(), `${name}: still waiting`).toBe(0);
      for (const summary of await page.locator("summary").all()) await summary.click();
      await expectHarmless(page, name, fake.url);
      marks += await page.locator(".mark").count();
    }
    expect(marks).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("links of ours with attacks in them lead to the page that they name", async () => {
    const { page, wrong } = await open(browser, fake.url);
    await page.goto(`${fake.url}#/sessions`);
    await page.locator("tbody a").first().click();
    await page.locator(".timeline .step").first().waitFor();
    const title: string = await page.title();
    expect(title).toContain(visible(world.sessions[0]!.id).slice(0, 30));
    await page.goto(`${fake.url}#/rules`);
    await page.locator("tbody a").first().click();
    await page.getByText("As it is written").waitFor();
    await page.goto(`${fake.url}#/alerts`);
    await page.locator(".pane").waitFor();
    await page.keyboard.press("a");
    await expect.poll(() => fake.posts.length).toBe(1);
    const open_one = world.alerts.find(({ status }) => status === "open")!;
    expect(fake.posts[0]!.body).toMatchObject({ alerts: [open_one.event.id] });
    expect(wrong).toEqual([]);
    await page.close();
  });
});
