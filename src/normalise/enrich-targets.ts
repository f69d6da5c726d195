// Derived fields on what a call is aimed at: hosts and addresses that data goes to, classes of the files that it reads
// and writes. Part of enrich.ts; resolves and opens nothing.
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Json } from "../core/text.ts";
import { addressOf } from "../core/address.ts";
import { markTruncated } from "./cut.ts";
import { dataChars, labelChars } from "./beacon.ts";
import type { CommandFacts } from "./command.ts";
import { fileClasses } from "./paths.ts";
import { writesFiles } from "./targets.ts";
import { hostOf, isLoopback, registeredDomain } from "./url.ts";

export function ofCommand(e: Event, facts: CommandFacts): void {
  if (facts.traits.length > 0) e["tapline.command.traits"] ??= [...facts.traits];
  if (facts.reads.length > 0) e["tapline.file.reads"] ??= [...facts.reads];
  if (facts.writes.length > 0) e["tapline.file.writes"] ??= [...facts.writes];
  if (e["event.action"] === "tool-result") return;
  if (facts.traits.includes("network")) e["network.direction"] ??= "egress";
  if (facts.host !== undefined) goesTo(e, facts.host);
}

export function ofFile(e: Event, path: string, tool: string | undefined): void {
  const classes = fileClasses(path);
  if (classes === undefined) return;
  const field = tool !== undefined && writesFiles(tool) ? "tapline.file.writes" : "tapline.file.reads";
  const known = e[field];
  e[field] = known === undefined ? classes : [...new Set([...known, ...classes])];
}

/** What is asked for, what a request names in lists, and classes of files under other names than the usual. */
export function ofPaths(e: Event, args: Json, tool: string | undefined): void {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return;
  const object = args as Readonly<Record<string, Json>>;
  const query = object["query"] ?? object["sql"] ?? object["statement"];
  // The whole of it is in the arguments: it is cut after redaction.
  if (typeof query === "string" && query !== "") e["tapline.data.query"] ??= query;
  for (let i = 0; i < PATH_KEYS.length; i++) {
    const value = object[PATH_KEYS[i]!];
    if (value === undefined) continue;
    const list = Array.isArray(value) ? value : [value];
    if (list.length > 1) addTargets(e, list);
    if (i >= PATHS) continue;
    for (let j = 0; j < list.length && j < LIMITS.paths; j++) {
      const path = list[j];
      if (typeof path === "string") ofFile(e, path, tool);
    }
  }
}

const PATH_KEYS = [
  "paths",
  "files",
  "file",
  "source",
  "src",
  "target_file",
  "filepath",
  "attachments",
  "urls",
  "uris",
] as const;
/** The last two are no paths. */
const PATHS = PATH_KEYS.length - 2;

function addTargets(e: Event, list: readonly Json[]): void {
  const known = e["tapline.data.targets"] ?? [];
  const named = list.filter((item) => typeof item === "string");
  const all = [...known, ...named];
  if (all.length > 0) e["tapline.data.targets"] = all.slice(0, LIMITS.data_targets);
  if (all.length > LIMITS.data_targets) markTruncated(e, "tapline.data.targets");
}

/** Where the URL leads; `goes`: and data goes there. */
export function destination(e: Event, url: string, goes: boolean): void {
  const host = hostOf(url);
  if (host === undefined) return;
  e["url.domain"] ??= host;
  if (isLoopback(host) || e["event.action"] === "tool-result") return;
  if (!goes) return;
  goesTo(e, host);
  e["network.direction"] ??= "egress";
  const chars = dataChars(url, host);
  if (chars >= LIMITS.url_data_chars) e["tapline.url.data_chars"] = chars;
}

function goesTo(e: Event, host: string): void {
  e["destination.domain"] ??= host;
  const address = addressOf(host);
  if (address !== undefined) {
    e["destination.ip"] ??= address.ip;
    if (address.form !== "plain") e["tapline.url.host_form"] = address.form;
    return;
  }
  e["destination.registered_domain"] ??= registeredDomain(host);
  const label = labelChars(host);
  if (label > 0) e["tapline.url.label_chars"] = label;
}
