// What is built: how large it is, that nothing in it is inline or from elsewhere, and that no page makes markup of text.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { build } from "./browser.ts";

let dir: string;
beforeAll(() => {
  dir = build();
});

const KIB = 1024;
/** Compressed, KiB: what opens the first page, and the charts that are loaded when one is shown. */
const BOUNDS: readonly (readonly [RegExp, number])[] = [
  [/^app-.*\.js$/, 48],
  [/^app-.*\.css$/, 9],
  [/^chart-.*\.js$/, 180],
];

test("it is small, and the charts are apart from what is loaded first", () => {
  const files = readdirSync(dir);
  for (const [name, kib] of BOUNDS) {
    const found = files.filter((file) => name.test(file));
    expect(found, String(name)).toHaveLength(1);
    const size = gzipSync(readFileSync(join(dir, found[0]!)), { level: 9 }).length / KIB;
    expect(size, `${found[0]}, KiB compressed`).toBeLessThan(kib);
  }
  const app = files.find((file) => /^app-.*\.js$/.test(file))!;
  expect(readFileSync(join(dir, app), "utf8")).not.toContain("zrender");
  expect(files.map((file) => file.replace(/-[\w-]{8}\./, "-*.")).toSorted()).toEqual([
    "app-*.css",
    "app-*.js",
    "chart-*.js",
    "icon.svg",
    "index.html",
    "licences.txt",
  ]);
});

test("licences of what is in it go along", () => {
  const text = readFileSync(join(dir, "licences.txt"), "utf8");
  for (const word of [
    "preact",
    "The MIT License",
    "echarts",
    "Apache License",
    "zrender",
    "BSD 3-Clause",
    "tslib",
  ])
    expect(text).toContain(word);
});

test("the page names its own files only, and nothing is inline", () => {
  const page = readFileSync(join(dir, "index.html"), "utf8");
  expect(page).not.toMatch(/https?:|\/\/|style=|<style|onload|<script(?![^>]*\bsrc=)/);
  const css = readFileSync(
    join(
      dir,
      readdirSync(dir).find((file) => file.endsWith(".css"))!,
    ),
    "utf8",
  );
  expect(css).not.toMatch(/url\(|@import/);
});

test("no page makes markup of text, and no link leads out", () => {
  const from = "src/viewer/web";
  const wrong: string[] = [];
  for (const name of readdirSync(from, { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(name)) continue;
    const text = readFileSync(join(from, name), "utf8");
    for (const ban of [
      /dangerouslySetInnerHTML/,
      /\b(inner|outer)HTML\b/,
      /insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc/,
      /\beval\b|new Function/,
      /https?:\/\//,
      /href=\{(?!href\(|eventHref\(|sessionHref\(|`\$\{sessionHref\(|to\})/,
      /window\.open|target=/,
    ])
      if (ban.test(text)) wrong.push(`${name} has ${ban}`);
  }
  expect(wrong).toEqual([]);
});
