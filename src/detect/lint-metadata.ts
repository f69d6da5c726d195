// Lint of what a rule says about itself: identity, dates, tags, words. Mechanical mistakes carry their edit.
import { randomUUID } from "node:crypto";
import { isMap, isScalar, isSeq } from "yaml";
import { type Lint, lineAfter, rewritten, withoutItem } from "./lint-finding.ts";
import { nearest } from "./rule.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const KEYS = (
  "title id name related taxonomy status description license author references date modified logsource detection " +
  "correlation filter fields falsepositives level tags scope generate tapline testcases regression_tests_path simulation action"
).split(" ");
const NAMESPACES = [
  "attack",
  "atlas",
  "owasp",
  "iso42001",
  "car",
  "cve",
  "d3fend",
  "detection",
  "stp",
  "tlp",
];
const RELATIONS = ["derived", "obsolete", "merged", "renamed", "similar"];

/** `ours` asks for what rules for these events are agreed to have. */
export function lintMetadata(lint: Lint, ours: boolean): void {
  if (!isMap(lint.root)) return;
  lintKeys(lint);
  lintId(lint);
  lintWords(lint);
  for (const key of ["date", "modified"]) lintDate(lint, key);
  lintTags(lint);
  lintRelated(lint);
  if (!ours || lint.pair("filter") !== undefined) return;
  for (const key of ["description", "level", "status", "falsepositives", "tags"]) {
    if (lint.pair(key) === undefined) lint.add("warning", "missing", "", `has no \`${key}\``);
  }
}

function lintKeys(lint: Lint): void {
  if (!isMap(lint.root)) return;
  for (const { key } of lint.root.items) {
    const name = isScalar(key) ? String(key.value) : "";
    if (KEYS.includes(name)) continue;
    const near = nearest(name, KEYS);
    // Keys of one's own are allowed; what is nearly one of Sigma's is probably meant to be it.
    if (near !== undefined)
      lint.add("warning", "key", key, `there is no key "${name}". Did you mean "${near}"?`);
  }
}

function lintId(lint: Lint): void {
  const pair = lint.pair("id");
  const id = isScalar(pair?.value) ? pair.value.value : undefined;
  if (id === undefined || id === null) {
    const edit = lineAfter(lint.source, lint.pair("title"), `id: ${randomUUID()}`);
    lint.add(
      "warning",
      "id_missing",
      "",
      "has no `id`: alerts of another version could not be told apart",
      edit,
    );
  } else if (typeof id !== "string" || !UUID_V4.test(id)) {
    lint.add("warning", "id_format", pair!.value, `${JSON.stringify(id)} is not a random UUID (version 4)`);
  }
}

function lintWords(lint: Lint): void {
  for (const key of ["level", "status"]) {
    const value = lint.pair(key)?.value;
    if (!isScalar(value) || typeof value.value !== "string" || value.value === value.value.toLowerCase())
      continue;
    const edit = rewritten(lint.source, value, (raw) => raw.toLowerCase());
    lint.add("warning", "case", value, `\`${key}\` is written in lower case`, edit);
  }
}

function dashed(date: string): string {
  const parts = date.split("/");
  return parts.map((part) => part.padStart(2, "0")).join("-");
}

function lintDate(lint: Lint, key: string): void {
  const value = lint.pair(key)?.value;
  if (!isScalar(value)) return;
  const text = String(value.value);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return;
  const slashed = /^\d{4}\/\d{1,2}\/\d{1,2}$/.test(text);
  const edit = slashed ? rewritten(lint.source, value, dashed) : undefined;
  lint.add("warning", "date", value, `\`${key}\` is "${text}", not YYYY-MM-DD`, edit);
}

function lintTags(lint: Lint): void {
  const list = lint.pair("tags")?.value;
  if (!isSeq(list)) return;
  const seen = new Set<string>();
  for (const item of list.items) {
    if (!isScalar(item) || typeof item.value !== "string") continue;
    const tag = item.value;
    const right = tag
      .toLowerCase()
      .replace(/^(attack\.[a-z]+(?:_[a-z]+)+)$/, (name) => name.replaceAll("_", "-"));
    if (seen.has(right)) {
      lint.add(
        "warning",
        "tag_twice",
        item,
        `the tag "${tag}" is there twice`,
        withoutItem(lint.source, item),
      );
      continue;
    }
    seen.add(right);
    const [namespace, ...rest] = right.split(".");
    if (rest.length === 0 || !/^[a-z0-9-]+(\.[a-z0-9_.-]+)$/.test(right)) {
      lint.add("warning", "tag", item, `the tag "${tag}" is not of the form namespace.name`);
    } else if (!NAMESPACES.includes(namespace!)) {
      const known = NAMESPACES.join(", ");
      lint.add(
        "warning",
        "tag_namespace",
        item,
        `the tag "${tag}" has an unknown namespace; known: ${known}`,
      );
    } else if (right !== tag) {
      const edit = rewritten(lint.source, item, () => right);
      lint.add("warning", "tag", item, `the tag "${tag}" is written "${right}"`, edit);
    }
  }
}

function lintRelated(lint: Lint): void {
  const list = lint.pair("related")?.value;
  if (!isSeq(list)) return;
  for (const item of list.items) {
    const type: unknown = isMap(item) ? item.get("type") : undefined;
    const id: unknown = isMap(item) ? item.get("id") : undefined;
    if (!RELATIONS.includes(String(type)) || typeof id !== "string") {
      lint.add(
        "warning",
        "related",
        item,
        `an entry of \`related\` has an id and a type: ${RELATIONS.join(", ")}`,
      );
    }
  }
}
