// The import of dashboards against a front end that follows a script: it accounts for every object, and says what failed.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RETENTION_UNKNOWN } from "../../dashboards/header.ts";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import { installDashboards } from "../../src/sinks/front-end.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import type { Engine } from "../../src/sinks/setup-plan.ts";
import { newHome, tapline } from "../commands/tapline.ts";
import { FILES, type SavedObject, readObjects } from "../dashboards/objects.ts";

interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly file: string;
  readonly objects: readonly SavedObject[];
}
type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>];

const HEADERS = { elasticsearch: "kbn-name", opensearch: "osd-name" } as const;
let stub: Server;
let url: string;
let seen: Seen[];
/** The answer to an import; without one, everything is taken. */
let answer: ((objects: readonly SavedObject[]) => Answer) | undefined;
let engine: Engine;

/** What a front end reads of a form with one file. */
function readForm(type: string, body: string): Pick<Seen, "file" | "objects"> {
  const boundary = /boundary=(\S+)$/.exec(type)![1]!;
  const [before, part, after] = body.split(`--${boundary}`);
  expect([before, after]).toEqual(["", "--\r\n"]);
  const at = part!.indexOf("\r\n\r\n");
  const file = /name="file"; filename="([^"]+)"/.exec(part!.slice(0, at))![1]!;
  const lines = part!.slice(at + 4, -2).split("\n");
  return { file, objects: lines.filter(Boolean).map((line) => JSON.parse(line) as SavedObject) };
}

beforeEach(async () => {
  seen = [];
  answer = undefined;
  stub = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      if (!request.url!.includes("_import")) {
        // The server of the documents takes everything.
        if (engine === "elasticsearch") response.setHeader("x-elastic-product", "Elasticsearch");
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
        return;
      }
      const form = readForm(request.headers["content-type"]!, text);
      seen.push({ path: `${request.method} ${request.url}`, headers: request.headers, ...form });
      const all = { success: true, successCount: form.objects.length };
      const [status, body, headers] = answer?.(form.objects) ?? [200, all];
      response.writeHead(status, headers ?? { [HEADERS[engine]]: "test" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => stub.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => void stub.close(resolve)));

const never = new AbortController().signal;
const told = { retention_days: 90, lifecycle: true };
function install(more: Record<string, unknown> = {}, at = url, installed = told) {
  const component = engine === "elasticsearch" ? elasticsearch : opensearch;
  const options = component.config.parse({ type: engine, url: "http://127.0.0.1:1", ...more });
  return installDashboards(engine, options, at, installed, never);
}

describe.each(["elasticsearch", "opensearch"] as const)("%s", (name) => {
  beforeEach(() => void (engine = name));
  const shipped = readObjects(FILES[name === "elasticsearch" ? "kibana" : "opensearch"]);

  test("sends every object in one import that replaces, and accounts for them", async () => {
    const result = await install({}, `${url}/base/s/ai/`);
    expect(result.failed).toEqual([]);
    expect(Object.values(result.objects).reduce((a, b) => a + b, 0)).toBe(shipped.length);
    expect(result.dashboards).toContain("[Tapline] A.8 Incidents");
    expect(seen.length).toBe(1);
    const { path, headers, file, objects } = seen[0]!;
    expect(path).toBe("POST /base/s/ai/api/saved_objects/_import?overwrite=true");
    expect(file).toMatch(/\.ndjson$/);
    expect([headers["osd-xsrf"], headers["kbn-xsrf"]]).toEqual(["true", "true"]);
    expect(headers["securitytenant"]).toBe(name === "opensearch" ? "global" : undefined);
    expect(headers["authorization"]).toBeUndefined();
    expect(objects.map(({ type, id }) => [type, id])).toEqual(shipped.map(({ type, id }) => [type, id]));
    await install({}, `${url}/base/s/ai/`);
    expect(seen[1]!.objects).toEqual(objects);
  });

  test("the page of A.6.2.6 says which retention setup has set, and nothing else is changed", async () => {
    expect(JSON.stringify(shipped).split(RETENTION_UNKNOWN).length).toBe(2);
    for (const [lifecycle, said] of [
      [true, "is deleted 90 days after it was rolled over"],
      [false, "nothing of Tapline's deletes documents"],
    ] as const) {
      await install({}, url, { ...told, lifecycle });
      const { objects } = seen.pop()!;
      const changed = objects.filter((object, i) => JSON.stringify(object) !== JSON.stringify(shipped[i]));
      expect(changed.length).toBe(1);
      expect(JSON.stringify(changed)).toContain(said);
      expect(JSON.stringify(objects)).not.toContain(RETENTION_UNKNOWN);
    }
  });

  test("the credentials of the sink go to the front end, and into no message", async () => {
    const password_file = join(newHome(), "password");
    writeFileSync(password_file, "s3cret-w0rd\n");
    answer = () => [401, { message: "Unauthorized" }];
    const refused = install({ username: "setup", password_file });
    await expect(refused).rejects.toMatchObject({ code: "SINK_UNAUTHORIZED" });
    await expect(refused).rejects.not.toThrow(/s3cret/);
    const basic = `Basic ${Buffer.from("setup:s3cret-w0rd").toString("base64")}`;
    expect(seen[0]!.headers["authorization"]).toBe(basic);
    if (name === "opensearch") return;
    await expect(install({ api_key_file: password_file })).rejects.toMatchObject({ retry: false });
    expect(seen[1]!.headers["authorization"]).toBe("ApiKey s3cret-w0rd");
  });

  test("objects that failed are named one by one, though the answer is 200", async () => {
    answer = (objects) => {
      const errors = [
        {
          type: "dashboard",
          id: "tapline-operation",
          error: { type: "missing_references", references: [{ type: "index-pattern", id: "lost" }] },
        },
        {
          type: "search",
          id: "tapline-events",
          error: { type: "unknown", message: "mapping set to strict" },
        },
        { type: "search", id: "tapline-alerts", error: { type: "conflict" } },
      ];
      return [200, { success: false, successCount: objects.length - errors.length, errors }];
    };
    const { failed, dashboards, objects } = await install();
    expect(failed).toEqual([
      { name: "dashboard tapline-operation", reason: "missing_references: index-pattern lost" },
      { name: "search tapline-events", reason: "unknown: mapping set to strict" },
      { name: "search tapline-alerts", reason: "conflict" },
    ]);
    expect(dashboards).not.toContain("[Tapline] A.6.2.6 Operation and monitoring");
    expect(objects["search"]).toBe(shipped.filter(({ type }) => type === "search").length - 2);
  });

  test.each([
    [
      "success without a reason",
      (n: number) => ({ success: false, successCount: n - 1 }),
      /but|of \d+ objects/,
    ],
    ["fewer objects than were sent", (n: number) => ({ success: true, successCount: n - 2 }), /says that/],
    ["no count", () => ({ success: true }), /says that 0 of/],
    [
      "an error that it calls success",
      (n: number) => ({
        success: true,
        successCount: n - 1,
        errors: [{ type: "search", id: "tapline-events" }],
      }),
      /with 1 errors and success true/,
    ],
  ])("%s is told", async (_, body, said) => {
    answer = (objects) => [200, body(objects.length)];
    const { failed } = await install();
    expect(failed.at(-1)).toMatchObject({ name: "dashboards" });
    expect(failed.at(-1)!.reason).toMatch(said);
  });

  const other = { [HEADERS[name === "elasticsearch" ? "opensearch" : "elasticsearch"]]: "test" };
  test.each<[string, Answer, string, RegExp]>([
    ["a page of a proxy", [200, "<html>welcome</html>"], "SETUP_FRONT_END", /none to an import/],
    ["a login page", [302, "", { location: "/login" }], "SINK_UNAUTHORIZED", /302/],
    ["a user who may not", [403, { message: "Unable to bulk_create" }], "SINK_FORBIDDEN", /bulk_create/],
    ["another server", [404, { error: "no handler" }], "SETUP_REFUSED", /no handler/],
    ["a file that is too large", [413, { message: "Payload too large" }], "SETUP_REFUSED", /413 Payload/],
    [
      "a version that is newer than it knows",
      [422, { message: "belongs to a more recent version" }],
      "SETUP_REFUSED",
      /more recent/,
    ],
    ["a front end that fails", [503, "starting"], "SETUP_REFUSED", /503 starting/],
    ["the other front end", [200, { success: true }, other], "SETUP_FRONT_END", /, not /],
  ])("%s is an error that says so", async (_, script, code, message) => {
    answer = () => script;
    const refused = install();
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.toThrow(message);
  });

  test("a front end that is not there is one that cannot be reached", async () => {
    await expect(install({}, "http://127.0.0.1:1")).rejects.toMatchObject({
      code: "SINK_UNREACHABLE",
      retry: true,
    });
  });

  test("the command says what is in place and what failed, and ends with 1 when something did", async () => {
    const home = newHome();
    const args = ["setup", name, "--url", url, "--dashboards-url", url];
    const good = await tapline(home, args);
    expect([good.code, good.stderr]).toEqual([0, ""]);
    expect(good.stdout).toMatch(/^installed {3}dashboard \[Tapline\] Control coverage$/m);
    expect(good.stdout).toContain(`front end   ${url}: 2 index-pattern`);
    answer = (objects) => {
      const errors = [
        { type: "search", id: "tapline-events", error: { type: "unknown", message: "strict" } },
      ];
      return [200, { success: false, successCount: objects.length - 1, errors }];
    };
    const bad = await tapline(home, args);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^FAILED {6}search tapline-events: unknown: strict$/m);
    const json = await tapline(home, [...args, "--json"]);
    const { dashboards }: { dashboards: unknown } = JSON.parse(json.stdout) as never;
    expect(dashboards).toMatchObject({ failed: [{ name: "search tapline-events" }] });
  });

  test("--print names the request, the file and every object, and sends nothing", async () => {
    const home = newHome();
    const { code, stdout } = await tapline(home, ["setup", name, "--print", "--dashboards-url", url]);
    expect(code).toBe(0);
    expect(stdout).toContain("POST /api/saved_objects/_import?overwrite=true");
    for (const { type, id } of shipped) expect(stdout).toContain(`${type} ${id}: `);
    expect(seen).toEqual([]);
  });
});

test.each(["nonsense", "ftp://127.0.0.1", "http://127.0.0.1/?a=b", "http://a:b@127.0.0.1"])(
  "--dashboards-url %s is refused",
  async (text) => {
    const { code, stderr } = await tapline(newHome(), ["setup", "opensearch", "--dashboards-url", text]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--dashboards-url")]);
  },
);
