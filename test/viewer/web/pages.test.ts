// The main paths of the three people through the pages, in Chromium, against a stand-in of the server: the analyst with the
// keyboard, the compliance owner to an exhibit on paper, the engineer to what went wrong.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readControls } from "../../../src/evidence/map.ts";
import { CHROMIUM, type Watched, build, launch, open } from "./browser.ts";
import { type Fake, serve } from "./fake.ts";
import { type World, worldOf } from "./world.ts";

let browser: Browser;
let pages: string;
let world: World;
let fake: Fake;
let watched: Watched;
let page: Page;

const REFUSED = /status of (401|503)|net::ERR/;

describe.skipIf(CHROMIUM === undefined)("the viewer's pages", () => {
  beforeAll(async () => {
    pages = build();
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    world = worldOf();
    fake = await serve(world, pages);
    watched = await open(browser, fake.url, { expected: REFUSED });
    ({ page } = watched);
  });
  afterEach(async () => {
    await page.close();
    await fake.close();
    expect(watched.wrong).toEqual([]);
  });

  const at = (hash: string): Promise<unknown> => page.goto(`${fake.url}${hash}`);
  const titleOf = (): Promise<string> => page.locator(".pane .title").innerText();
  const selected = (of: Page): Promise<string> => of.locator("tr[aria-selected='true'] .strong").innerText();

  describe("analyst", () => {
    test("is offered a field's values after its colon, and takes one with keys", async () => {
      await at("#/events");
      await page.locator("tbody tr").first().waitFor();
      await page.keyboard.press("/");
      await page.locator("[data-search]:focus").waitFor();
      await page.keyboard.type("-server:a");
      await page.locator("#offers li").first().waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await expect.poll(() => page.locator("[data-search]").inputValue()).toMatch(/^-server:"?.*a.*/);
      await page.keyboard.press("Enter");
      await expect.poll(() => new URL(page.url()).hash).toContain("q=-server");
    });

    test("works through the queue by keyboard alone", async () => {
      await page.locator(".pane").waitFor();
      const open_ones = world.alerts.filter(({ status }) => status === "open");
      expect(await selected(page)).toBe(open_ones[0]!.rule.name);
      await page.keyboard.press("j");
      await expect.poll(() => selected(page)).toBe(open_ones[1]!.rule.name);
      await expect.poll(titleOf).toBe(open_ones[1]!.rule.name);
      expect(page.url()).toContain(`alert=${open_ones[1]!.event.id}`);
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      await page.keyboard.press("a");
      await expect.poll(() => fake.posts.length).toBe(1);
      expect(fake.posts[0]).toEqual({
        path: "/api/alerts",
        body: { transition: "acknowledged", alerts: [open_ones[1]!.event.id] },
      });
      // The next one is in hand, and what was done is said.
      await expect.poll(titleOf).toBe(open_ones[2]!.rule.name);
      await expect.poll(() => page.locator(".toast").innerText()).toContain("handed to the collector");

      await page.keyboard.press("n");
      await page.keyboard.type("asked the owner of the issue: jkatf");
      await page.keyboard.press("Control+Enter");
      await expect.poll(() => fake.posts.length).toBe(2);
      expect(fake.posts[1]!.body).toEqual({
        transition: "noted",
        note: "asked the owner of the issue: jkatf",
        alerts: [open_ones[2]!.event.id],
      });

      await page.keyboard.press("s");
      await page.keyboard.press("Enter");
      await expect.poll(() => fake.posts.length).toBe(3);
      expect(fake.posts[2]!.body).toMatchObject({ transition: "assigned", assignee: "t.okafor" });

      await page.keyboard.press("x");
      await page.keyboard.press("j");
      await page.keyboard.press("x");
      await page.keyboard.press("f");
      await expect.poll(() => fake.posts.length).toBe(4);
      expect(fake.posts[3]!.body).toEqual({
        transition: "closed",
        verdict: "false_positive",
        alerts: [open_ones[2]!.event.id, open_ones[3]!.event.id],
      });

      await page.keyboard.press("u");
      await page.locator("dialog select").selectOption("gen_ai.conversation.id");
      await page.locator("dialog textarea").fill("a test of ours");
      await page.keyboard.press("Control+Enter");
      await expect.poll(() => fake.posts.length).toBe(5);
      const { until, ...rest } = fake.posts[4]!.body;
      expect(rest).toMatchObject({
        transition: "suppressed",
        note: "a test of ours",
        same: "gen_ai.conversation.id",
      });
      expect(Date.parse(String(until)) - Date.now()).toBeGreaterThan(6 * 86_400_000);
    });

    test("goes from the alert to the session, to the entry, and has its proof checked in the browser", async () => {
      await page.locator(".pane").waitFor();
      const first = world.alerts.find(({ status }) => status === "open")!;
      await page.keyboard.press("Enter");
      await expect.poll(() => page.url()).toContain("#/sessions/");
      const step = page.locator(`#step-${first.event.index}`);
      await step.waitFor();
      expect(await step.getAttribute("class")).toContain("here");
      const order = await page
        .locator(".step time")
        .evaluateAll((all) => all.map((one) => one.getAttribute("datetime")));
      expect(order).toEqual(order.toSorted());
      expect(order.length).toBeGreaterThan(10);
      await step.getByRole("button", { name: "Entry and proof" }).click();
      await expect.poll(() => step.locator(".checks li").allInnerTexts()).toHaveLength(4);
      for (const text of await step.locator(".checks li").allInnerTexts()) expect(text).toMatch(/^Holds/);
      await step.getByRole("link", { name: String(first.event.index), exact: true }).click();
      await page.getByRole("heading", { name: `Event ${first.event.index}`, exact: true }).waitFor();
      expect(await page.locator(".block pre").last().innerText()).toBe(
        world.ledger.entries[first.event.index],
      );
    });

    test("an entry that was changed does not hold, and says so", async () => {
      const answer = (await (await fetch(`${fake.url}api/events/12`)).json()) as { entry: string };
      await page.route("**/api/events/12", (route) =>
        route.fulfill({ json: { ...answer, entry: answer.entry.replace("http_post", "http_get") } }),
      );
      await at("#/events/12");
      await expect.poll(() => page.locator(".checks li").allInnerTexts()).toHaveLength(4);
      const [leaf, root, , signature] = await page.locator(".checks li").allInnerTexts();
      expect([leaf, root]).toEqual([
        expect.stringMatching(/^Does not hold/),
        expect.stringMatching(/^Does not hold/),
      ]);
      expect(signature).toMatch(/^Holds/);
    });

    test("searches with fields offered while typing; the address holds the question", async () => {
      await at("#/events");
      await page.locator("tbody tr").first().waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("bytes_o");
      await page.locator("[role='option']").first().waitFor();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      expect(await page.locator("[data-search]").inputValue()).toBe("tapline.data.bytes_out:");
      await page.keyboard.type(">10");
      await page.keyboard.press("Enter");
      await expect.poll(() => decodeURIComponent(page.url())).toContain("q=tapline.data.bytes_out:>10");
      await page.locator(".facets button").first().click();
      await expect
        .poll(() => decodeURIComponent(page.url()).replaceAll("+", " "))
        .toContain("q=tapline.data.bytes_out:>10 user:");
      await page.goBack();
      await expect.poll(() => page.locator("[data-search]").inputValue()).toBe("tapline.data.bytes_out:>10");
      await at("#/events?q=nothing-like-this");
      await page.getByText("No event like that").waitFor();
    });

    test("new alerts come by themselves, unless paused", async () => {
      await page.locator(".pane").waitFor();
      await expect.poll(() => page.locator(".state").innerText()).toContain("Live");
      let asked = 0;
      page.on("request", (request) => {
        if (request.url().includes("/api/alerts?")) asked++;
      });
      fake.tell({ type: "alerts", alerts: world.alerts.slice(0, 1) });
      await expect.poll(() => asked).toBe(1);
      await page.getByRole("button", { name: "Pause" }).click();
      fake.tell({ type: "alerts", alerts: world.alerts.slice(0, 1) });
      fake.tell({
        type: "head",
        head: { origin: null, entries: 999_999, covered: 1, root: null },
        collecting: true,
      });
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(asked).toBe(1);
      expect(await page.locator(".state").innerText()).not.toContain("999,999");
      await page.getByRole("button", { name: "Go on" }).click();
      await expect.poll(() => asked).toBe(2);
    });

    test("letters can be switched off, help tells what is in force, and a dialog keeps the keys to itself", async () => {
      await page.locator(".pane").waitFor();
      await page.keyboard.press("?");
      const help = page.locator("dialog");
      for (const word of ["Acknowledge", "Next", "Close as false positive", "Go to the search box"])
        expect(await help.innerText()).toContain(word);
      await page.keyboard.press("a");
      expect(fake.posts).toEqual([]);
      await page.getByLabel("Letters act as keys").uncheck();
      await page.keyboard.press("Escape");
      await help.waitFor({ state: "detached" });
      await page.keyboard.press("a");
      expect(fake.posts).toEqual([]);
      await page.keyboard.press("?");
      await page.getByLabel("Letters act as keys").check();
      await page.keyboard.press("Escape");
      await help.waitFor({ state: "detached" });
      await page.keyboard.press("a");
      await expect.poll(() => fake.posts.length).toBe(1);
    });

    test("an incident is acknowledged, told and closed", async () => {
      await at("#/incidents");
      await page.getByRole("link", { name: /^a{12}/ }).click();
      await page.getByRole("heading", { name: /Incident/ }).waitFor();
      expect(await page.locator("main").innerText()).toContain("Overdue");
      await page.keyboard.press("m");
      await page.locator("dialog select").selectOption("serious");
      await page.locator("dialog textarea").fill("authority@example.org, dpo@example.org");
      await page.keyboard.press("Control+Enter");
      await expect.poll(() => fake.posts.length).toBe(1);
      expect(fake.posts[0]).toEqual({
        path: `/api/incidents/${"a".repeat(32)}`,
        body: {
          transition: "notified",
          recipients: ["authority@example.org", "dpo@example.org"],
          meets: "serious",
        },
      });
      await page.keyboard.press("c");
      await page.keyboard.press("Tab");
      await page.locator("dialog textarea").fill("key revoked");
      await page.keyboard.press("Control+Enter");
      await expect.poll(() => fake.posts.length).toBe(2);
      expect(fake.posts[1]!.body).toEqual({
        transition: "closed",
        verdict: "true_positive",
        note: "key revoked",
      });
    });
  });

  describe("compliance owner", () => {
    test("filters by a value that is offered, with keys alone; every page leads to the terms", async () => {
      await at("#/dashboards/operation");
      const box = page.getByRole("combobox", { name: "Value", exact: true });
      await box.focus();
      await page.getByRole("option", { name: "gmail" }).waitFor();
      await page.keyboard.type("hub");
      await expect.poll(() => page.locator("#values li").allTextContents()).toEqual(["github 29"]);
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await expect
        .poll(() => new URL(page.url()).hash)
        .toContain(`filter=${encodeURIComponent("user:github")}`);
      // Escape closes the list and keeps what was typed.
      await box.click();
      await page.keyboard.type("gm");
      await page.getByRole("option", { name: "gmail" }).waitFor();
      await page.keyboard.press("Escape");
      await page.locator("#values.none-offered").waitFor({ state: "attached" });
      expect(await box.inputValue()).toBe("gm");
      for (const place of ["alerts", "events", "controls", "health"]) {
        await at(`#/${place}`);
        await page.locator("main header").getByRole("link", { name: "Terms" }).waitFor();
      }
      await page.locator("main header").getByRole("link", { name: "Terms" }).click();
      await page.getByRole("cell", { name: "a call without a decision, or about that" }).waitFor();
      // All of it, without a window of its own to scroll in.
      expect(await page.evaluate("getComputedStyle(document.querySelector('.words')).maxHeight")).toBe(
        "none",
      );
    });

    test("opens a dashboard, narrows it, and keeps a panel as CSV", async () => {
      await at("#/dashboards/operation");
      await page.locator("#panel-outcomes svg").waitFor();
      expect(await page.locator("#panel-calls .figure").innerText()).toContain("48,211");
      await page.locator("#panel-tools").getByRole("button", { name: "Bash" }).click();
      await expect.poll(() => page.locator(".exhibit").innerText()).toContain("tool:Bash");
      const saved = page.waitForEvent("download");
      await page.locator("#panel-latency").getByRole("button", { name: "CSV" }).click();
      expect((await saved).suggestedFilename()).toBe("tapline-events.csv");
      expect(fake.posts[0]).toMatchObject({
        path: "/api/exports",
        body: { what: "panel", dashboard: "operation", panel: "latency", q: "tool:Bash" },
      });
      await page.locator("#panel-outcomes").getByRole("button", { name: "Table" }).click();
      expect(await page.locator("#panel-outcomes th").allInnerTexts()).toEqual([
        "From",
        "success",
        "failure",
        "unknown",
      ]);
      await page.getByRole("button", { name: /take away/ }).click();
      await expect.poll(() => page.locator(".exhibit").innerText()).toContain("Filters\nnone");
    });

    test("one panel in trouble does not take the others along", async () => {
      await at("#/dashboards/exfiltration");
      await expect.poll(() => page.locator("#panel-levels").innerText()).toContain("choose a shorter period");
      await page.locator("#panel-outcomes svg").waitFor();
    });

    test("sees per control what is direct, supporting and not collected here, and never a share of them", async () => {
      await at("#/controls");
      await page.getByRole("heading", { name: /^Direct/ }).waitFor();
      const text = await page.locator("main").innerText();
      for (const word of ["A.6.2.6", "A.9.4", "A.2.2", "Not collected here", "none in this period"])
        expect(text).toContain(word);
      expect(text).not.toMatch(/%|of 38|38 of/);
      expect(await page.locator("main table").nth(2).locator("tbody tr").count()).toBe(
        Object.values(readControls().controls).filter(({ evidence }) => evidence === "none").length,
      );
      await page.getByRole("link", { name: "A.6.2.6", exact: true }).click();
      await page.getByRole("heading", { name: /^A.6.2.6/ }).waitFor();
      expect(await page.locator(".exhibit").innerText()).toContain("covers 273 of 276 entries");
    });

    test("a page on paper is an exhibit: head, period, zone, filters, checkpoint; no navigation", async () => {
      await at("#/dashboards/operation?q=user%3Aana.ruiz");
      await page.locator("#panel-levels svg").waitFor();
      await page.emulateMedia({ media: "print" });
      const text = await page.locator("#app").innerText();
      for (const word of [
        "build-07",
        "Europe/Berlin (UTC+01:00)",
        "user:ana.ruiz",
        "covers 273 of 276",
        "2026-10-29 15:32:10",
        "t.okafor",
        "2026-11-28T14:32:10.000Z",
      ])
        expect(text).toContain(word);
      for (const gone of [".rail", ".search", ".tools", ".toast"])
        expect(await page.locator(gone).first().isVisible()).toBe(false);
      await page.emulateMedia({ media: null });
      const file = join(mkdtempSync(join(tmpdir(), "tapline-pdf-")), "page.pdf");
      await page.pdf({ path: file, preferCSSPageSize: true });
      expect(readFileSync(file).subarray(0, 5).toString()).toBe("%PDF-");
    });

    test("times are in the reader's zone, which is named, and in UTC when pointed at", async () => {
      await at("#/events/0");
      const time = page.locator("main time").first();
      await time.waitFor();
      const utc = world.events[0]!.time;
      expect(await time.getAttribute("title")).toContain(utc);
      expect(await time.innerText()).toBe("2026-11-28 15:19:10.000");
      expect(await page.locator(".state").innerText()).toContain("Europe/Berlin");
    });
  });

  describe("engineer", () => {
    test("sees the accounts, the sinks and what holds them up", async () => {
      await at("#/health");
      await page.getByText("The accounts add up").waitFor();
      const text = await page.locator("main").innerText();
      for (const word of [
        "10,412",
        "10,377",
        "Merged",
        "23",
        "connect ECONNREFUSED",
        "Held up",
        "Caught up",
        "covers 273 of 276",
      ])
        expect(text).toContain(word);
    });

    test("goes from a rule to its hits", async () => {
      await at("#/rules");
      await page.getByLabel("Find").fill("secret leaves");
      await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
      await page.getByRole("link", { name: "Secret Leaves in a Tool Call" }).click();
      await page.getByText("logsource: {product: tapline").waitFor();
      await page.locator(".histogram svg").waitFor();
      expect(await page.locator("main tbody tr").count()).toBe(8);
      // Addresses in a rule are to be read, not to be followed.
      expect(
        await page
          .locator("main a")
          .evaluateAll((all) => all.filter((one) => !one.getAttribute("href")!.startsWith("#/")).length),
      ).toBe(0);
    });
  });

  describe("when something is wrong", () => {
    test("without the cookie: what to open", async () => {
      fake.trouble = {
        path: "/api/session",
        status: 401,
        problem: {
          code: "NO_COOKIE",
          message: "you are not known here",
          remedy: "open the link that `tapline run` printed",
        },
      };
      await page.reload();
      await page.getByRole("alert").waitFor();
      expect(await page.locator("#app").innerText()).toContain("open the link that `tapline run` printed");
    });

    test("a question that fails can be asked again", async () => {
      fake.trouble = {
        path: "/api/events",
        status: 503,
        problem: { code: "BUSY", message: "too many questions at once", remedy: "ask again in a moment" },
      };
      await at("#/events");
      await page.getByText("ask again in a moment").waitFor();
      fake.trouble = undefined;
      await page.getByRole("button", { name: "Ask again" }).click();
      await page.locator("tbody tr").first().waitFor();
    });

    test("readers are offered nothing that they may not do", async () => {
      fake.role = "reader";
      await page.reload();
      await page.locator(".pane").waitFor();
      expect(await page.locator(".acts").count()).toBe(0);
      expect(await page.getByRole("button", { name: "CSV" }).count()).toBe(0);
      await page.keyboard.press("a");
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(fake.posts).toEqual([]);
    });

    test("no such page, no such alert", async () => {
      await at("#/nowhere");
      await page.getByText("There is no such page").waitFor();
      await page.getByRole("link", { name: "Go to the alerts" }).click();
      await page.locator(".pane").waitFor();
    });
  });
});
