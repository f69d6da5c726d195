// Attacks that recorded text may hold, and a look at a page for whatever came of them.
import type { Page } from "playwright-core";
import { expect } from "vitest";

export const ATTACKS = [
  `<img src=x onerror="globalThis.pwned=1">`,
  `<script>globalThis.pwned=1</script>`,
  `"><svg/onload=globalThis.pwned=1>`,
  `'"><iframe srcdoc="<script>parent.pwned=1</script>">`,
  `<style>*{display:none}</style>`,
  `[click me](javascript:globalThis.pwned=1)`,
  `![beacon](https://evil.example/beacon.png)`,
  `https://evil.example/login`,
  `javascript:globalThis.pwned=1`,
  `data:text/html,<script>globalThis.pwned=1</script>`,
  `=HYPERLINK("https://evil.example","open")`,
  `\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007`,
  `\u202egnp.exe\u202c \u2066iso\u2069 \u200bzero \u{e0041}\u{e0042}tags`,
  `{a|rich} {b|text} {{constructor.constructor('globalThis.pwned=1')()}}`,
  "${globalThis.pwned=1} %{x} __proto__",
  `line one\nline two\ttab\rback`,
  `../../../etc/passwd?x#/alerts`,
  `x`.repeat(3000),
] as const;

const IDS = /^(#\/)/;
/** What pages are made of; a thing that is not here came out of a text. */
const OURS = new Set(
  "html head meta title link script body div noscript button aside a svg path circle rect g text tspan defs clippath nav h1 h2 h3 ul ol li kbd dl dt dd p main header label select option span bdi form input table caption thead tbody tr th td time section strong em details summary pre code".split(
    " ",
  ),
);

interface Seen {
  readonly strange: readonly string[];
  readonly links: readonly string[];
  readonly handlers: readonly string[];
  readonly raw: boolean;
  readonly pwned: boolean;
}

/** Run in the page. */
const LOOK = `(() => {
  const all = [...document.querySelectorAll("*")];
  const text = document.body.innerText;
  return {
    strange: [...new Set(all.map((one) => one.localName.toLowerCase()))],
    links: all.filter((one) => one.hasAttribute("href") || one.hasAttribute("src") || one.hasAttribute("xlink:href"))
      .map((one) => one.getAttribute("href") ?? one.getAttribute("src") ?? one.getAttribute("xlink:href")),
    handlers: all.flatMap((one) => [...one.attributes].map(({ name }) => name).filter((name) => name.startsWith("on"))),
    raw: /[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff]|[\\u{e0000}-\\u{e007f}]/u.test(text + document.title),
    pwned: globalThis.pwned !== undefined,
  };
})()`;

/** Nothing ran, nothing but elements of ours is there, no link leads out, nothing is there that cannot be seen. */
export async function expectHarmless(page: Page, name: string, url: string): Promise<void> {
  const seen: Seen = await page.evaluate(LOOK);
  expect(
    seen.strange.filter((element) => !OURS.has(element)),
    `${name}: elements`,
  ).toEqual([]);
  const own = /^(icon\.svg|app-[\w-]+\.(js|css)|\/?chart-[\w-]+\.js)$/;
  const foreign = seen.links.filter((to) => !IDS.test(to) && !own.test(to.replace(url, "")));
  expect(foreign, `${name}: links`).toEqual([]);
  expect(seen.handlers, `${name}: handlers`).toEqual([]);
  expect(seen.raw, `${name}: characters that are not seen`).toBe(false);
  expect(seen.pwned, `${name}: a script ran`).toBe(false);
}
