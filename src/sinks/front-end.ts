// Installs the dashboards in a front end, Kibana or OpenSearch Dashboards: one import that replaces what has the same ids.
// Such an import answers 200 even when objects failed, so every object is accounted for by what the answer says.
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { fileURLToPath } from "node:url";
import { TaplineError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { excerpt } from "./answer.ts";
import { type ConnectionOptions, readCredentials, unreachable } from "./connection.ts";
import { readSecret } from "../core/secrets.ts";
import type { Engine } from "./setup-plan.ts";

const IMPORT = "/api/saved_objects/_import?overwrite=true";
const BOUNDARY = "tapline-saved-objects";
const FILES = { elasticsearch: "kibana", opensearch: "opensearch-dashboards" } as const;
const PRODUCTS = {
  elasticsearch: { name: "Kibana", header: "kbn-name" },
  opensearch: { name: "OpenSearch Dashboards", header: "osd-name" },
} as const;
/** Stands on the page of A.6.2.6 until setup says what it installed; also in dashboards/header.ts. */
const RETENTION_UNKNOWN = "Not known here: this page was imported by hand, and not by `tapline setup`.";

interface SavedObject {
  readonly type: string;
  readonly id: string;
  readonly attributes: { readonly title?: string };
}

/** What the front end is told about itself. */
export interface Installed {
  readonly retention_days: number;
  /** Whether the server took the lifecycle policy. */
  readonly lifecycle: boolean;
}

export interface FrontEndResult {
  readonly url: string;
  /** Objects that are in place, by type. */
  readonly objects: Readonly<Record<string, number>>;
  readonly dashboards: readonly string[];
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/** The request of the import, and the objects that it sends. `--print` shows it. */
export async function planFrontEnd(
  engine: Engine,
): Promise<{ file: string; path: string; text: string; objects: SavedObject[] }> {
  const file = fileURLToPath(new URL(`../../dashboards/generated/${FILES[engine]}.ndjson`, import.meta.url));
  const text = await readFile(file, "utf8");
  const objects = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SavedObject);
  return { file, path: IMPORT, text, objects };
}

function retentionSaid({ retention_days, lifecycle }: Installed): string {
  const by = `\`tapline setup\` of ${new Date().toISOString().slice(0, 10)}`;
  return lifecycle
    ? `${by} set the lifecycle policy \`tapline\`: an index is deleted ${retention_days} days after it was rolled over. Whether somebody changed it since is in the server.`
    : `${by} found no lifecycle management in the server: nothing of Tapline's deletes documents there.`;
}

export async function installDashboards(
  engine: Engine,
  options: ConnectionOptions & { readonly api_key_file?: string | undefined },
  frontEnd: string,
  installed: Installed,
  signal: AbortSignal,
): Promise<FrontEndResult> {
  const { text, objects } = await planFrontEnd(engine);
  const url = frontEnd.replace(/\/+$/, "");
  // The text is JSON in JSON in JSON: what is put in has no character that any of them would escape.
  const told = text.replaceAll(RETENTION_UNKNOWN, retentionSaid(installed));
  const body = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="${FILES[engine]}.ndjson"\r\ncontent-type: application/ndjson\r\n\r\n${told}\r\n--${BOUNDARY}--\r\n`;
  const headers: Record<string, string> = {
    "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
    "osd-xsrf": "true",
    "kbn-xsrf": "true",
  };
  // With its security plugin, each user would have dashboards of their own otherwise.
  if (engine === "opensearch") headers["securitytenant"] = "global";
  const { basic, ca } = await readCredentials(options);
  if (options.api_key_file !== undefined)
    headers["authorization"] = `ApiKey ${await readSecret(options.api_key_file)}`;
  else if (basic !== undefined)
    headers["authorization"] =
      `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`;
  const answer = await post(url + IMPORT, { headers, body, ca, timeout_s: options.timeout_s, signal });
  checkAnswer(engine, url, answer);
  return { url, ...outcome(objects, answer) };
}

interface Posted {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage["headers"];
}

/** One POST. Rejects only with TaplineError. */
async function post(
  url: string,
  options: {
    headers: Record<string, string>;
    body: string;
    ca: string | undefined;
    timeout_s: number;
    signal: AbortSignal;
  },
): Promise<Posted> {
  const { headers, body, ca, timeout_s, signal } = options;
  const deadline = AbortSignal.timeout(timeout_s * 1000);
  const send = url.startsWith("https:") ? requestHttps : requestHttp;
  try {
    return await new Promise((resolve, reject) => {
      const request = send(
        url,
        { method: "POST", headers, signal: AbortSignal.any([signal, deadline]), ...(ca && { ca }) },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
            if (text.length > LIMITS.answer_bytes) request.destroy(new Error("the answer is too long"));
          });
          response.on("error", reject);
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
          });
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  } catch (error) {
    throw unreachable(error, signal.aborted, deadline.aborted, timeout_s);
  }
}

/** Throws when the whole import was refused, or when it is not known who answered. */
function checkAnswer(engine: Engine, url: string, { status, text, headers }: Posted): void {
  const { name, header } = PRODUCTS[engine];
  const other = Object.values(PRODUCTS).find((one) => one.header !== header && one.header in headers);
  if (other !== undefined && !(header in headers))
    throw new TaplineError("SETUP_FRONT_END", `the front end at ${url} is ${other.name}, not ${name}`, {
      remedy: "check --dashboards-url and the engine",
    });
  if (status >= 200 && status < 300) return;
  const said = messageOf(text) ?? excerpt({ status, text });
  // The security plugins send a browser to their login page.
  const unknown = status === 401 || (status >= 300 && status < 400);
  const remedy = unknown
    ? "check the credentials of the sink: they are used for the front end too"
    : status === 403
      ? "the user needs to manage saved objects in the front end"
      : status === 404
        ? "name the front end, not the server of the documents, with its base path, and the space if not the default"
        : status === 413
          ? "raise savedObjects.maxImportPayloadBytes of the front end"
          : "see the front end's log";
  throw new TaplineError(
    unknown ? "SINK_UNAUTHORIZED" : status === 403 ? "SINK_FORBIDDEN" : "SETUP_REFUSED",
    `the front end at ${url} refuses the dashboards: ${status} ${said}`,
    { remedy, retry: status >= 500 },
  );
}

interface ImportError {
  readonly type?: string;
  readonly id?: string;
  readonly title?: string;
  readonly error?: {
    readonly type?: string;
    readonly message?: string;
    readonly reason?: string;
    readonly references?: readonly { readonly type: string; readonly id: string }[];
  };
}

/** What became of every object. What the answer does not account for failed. */
function outcome(
  objects: readonly SavedObject[],
  { text }: Posted,
): Pick<FrontEndResult, "objects" | "dashboards" | "failed"> {
  const answer = parse(text);
  if (typeof answer?.success !== "boolean")
    throw new TaplineError(
      "SETUP_FRONT_END",
      `the front end's answer is none to an import: ${text.slice(0, 200)}`,
      {
        remedy: "check --dashboards-url: a proxy may have answered",
      },
    );
  const errors = Array.isArray(answer.errors) ? answer.errors : [];
  const failed = errors.map((error) => ({
    name: `${error.type ?? "object"} ${error.id ?? error.title ?? "without an id"}`,
    reason: reason(error),
  }));
  const names = new Set(failed.map(({ name }) => name));
  const good = objects.filter(({ type, id }) => !names.has(`${type} ${id}`));
  const count = typeof answer.successCount === "number" ? answer.successCount : 0;
  if (answer.success !== (failed.length === 0) || count !== good.length)
    failed.push({
      name: "dashboards",
      reason: `the front end says that ${count} of ${objects.length} objects are in place, with ${errors.length} errors and success ${answer.success}`,
    });
  const counts: Record<string, number> = {};
  for (const { type } of good) counts[type] = (counts[type] ?? 0) + 1;
  const dashboards = good.flatMap(({ type, attributes }) =>
    type === "dashboard" ? [attributes.title ?? ""] : [],
  );
  return { objects: counts, dashboards, failed };
}

function reason({ error }: ImportError): string {
  const { type, message, reason: why, references } = error ?? {};
  const missing = references?.map((one) => `${one.type} ${one.id}`).join(", ");
  const said = [type, message ?? why, missing].filter((part) => part !== undefined && part !== "");
  return said.join(": ").slice(0, LIMITS.dead_letter_reason_chars) || "without a reason";
}

function parse(
  text: string,
): { success?: unknown; successCount?: unknown; errors?: ImportError[]; message?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function messageOf(text: string): string | undefined {
  const message = parse(text)?.message;
  return typeof message === "string" ? message.slice(0, LIMITS.dead_letter_reason_chars) : undefined;
}
