// TLS with an authority of our own: trusted only when ca_file says so, and never with a fall-back.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import elasticsearch from "../../src/sinks/elasticsearch.ts";
import opensearch from "../../src/sinks/opensearch.ts";
import { testContext } from "./batches.ts";

const never = new AbortController().signal;
const dir = mkdtempSync(join(tmpdir(), "tapline-tls-"));
const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
let available = true;
try {
  openssl("version");
} catch {
  available = false;
  console.warn("skipping the tests of TLS: openssl, which makes their certificates, is not on this machine");
}

describe.skipIf(!available).each(["elasticsearch", "opensearch"] as const)("%s over TLS", (engine) => {
  let server: Server;
  let port: number;
  let requests = 0;

  beforeAll(async () => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    openssl("req", "-x509", ...key, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem");
    const issued = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1"];
    openssl(
      "req",
      "-x509",
      ...key,
      ...issued,
      "-subj",
      "/CN=server",
      "-keyout",
      "server.key",
      "-out",
      "server.pem",
    );
    const options = {
      key: readFileSync(join(dir, "server.key")),
      cert: readFileSync(join(dir, "server.pem")),
    };
    server = createServer(options, (_, response) => {
      requests++;
      if (engine === "elasticsearch") response.setHeader("x-elastic-product", "Elasticsearch");
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await new Promise((resolve) => void server.close(resolve));
  });

  async function open(options: object): Promise<unknown> {
    const all = { type: engine, timeout_s: 5, ...options };
    const sink =
      engine === "elasticsearch"
        ? elasticsearch.create(elasticsearch.config.parse(all), testContext())
        : opensearch.create(opensearch.config.parse(all), testContext());
    const error: unknown = await sink.open(never).catch((e: unknown) => e);
    await sink.close();
    return error;
  }

  test("an unknown authority is refused, and nothing is sent", async () => {
    requests = 0;
    expect(await open({ url: `https://127.0.0.1:${port}` })).toMatchObject({ code: "SINK_TLS" });
    expect(requests).toBe(0);
  });

  test("the authority in ca_file is trusted, for the name in the certificate only", async () => {
    const ca_file = join(dir, "ca.pem");
    expect(await open({ url: `https://127.0.0.1:${port}`, ca_file })).toBeUndefined();
    expect(await open({ url: `https://localhost:${port}`, ca_file })).toMatchObject({ code: "SINK_TLS" });
  });

  test("a ca_file that is not there is an error that names it", async () => {
    const error = await open({ url: `https://127.0.0.1:${port}`, ca_file: "/nonexistent/ca.pem" });
    expect(error).toMatchObject({ code: "SINK_SECRET" });
    expect(String(error)).toContain("/nonexistent/ca.pem");
  });
});

afterAll(() => rmSync(dir, { recursive: true }));
