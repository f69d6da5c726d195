// TLS with a client's certificate, and user and password over TLS, against a real broker: what is right connects, what
// is wrong is told by its cause and never falls back, and no secret is in what is told.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaplineError } from "../../src/core/errors.ts";
import type { SinkContext } from "../../src/core/stage.ts";
import kafka from "../../src/sinks/kafka.ts";
import { series, testContext } from "../sinks/batches.ts";
import { deleteTopic, messagesOf, newTopic, startKafka, tlsDir } from "./topics.ts";

const never = new AbortController().signal;
const broker = await startKafka();
const port = Number(broker?.split(":")[1] ?? 0);
const [tls, sasl] = [`127.0.0.1:${port + 2}`, `127.0.0.1:${port + 3}`];
const certificate = (name: string): string => join(tlsDir(port), name);

describe.skipIf(broker === undefined)("a broker", () => {
  let topic: string;
  const dir = mkdtempSync(join(tmpdir(), "tapline-kafka-"));
  const right = join(dir, "right");
  const wrong = join(dir, "wrong");
  beforeAll(async () => {
    topic = await newTopic(broker!, 1);
    writeFileSync(right, "tapline-secret\n");
    writeFileSync(wrong, "secret-of-another\n");
    const key = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other"];
    const files = ["-keyout", join(dir, "other.key"), "-out", join(dir, "other.pem")];
    execFileSync("openssl", ["req", "-x509", ...key, ...files], { stdio: "pipe" });
  });
  afterAll(async () => {
    await deleteTopic(broker!, topic);
    rmSync(dir, { recursive: true });
  });

  const write = async (options: object): Promise<number> => {
    const config = kafka.config.parse({ type: "kafka", topic, ...options });
    const sink = kafka.create(config, testContext() as unknown as SinkContext);
    try {
      await sink.open(never);
      return (await sink.write(series("secure", 5), false, never)).created;
    } finally {
      await sink.close();
    }
  };
  const trouble = async (options: object): Promise<string> => {
    const error = (await write(options).catch((e: unknown) => e)) as TaplineError;
    expect(String(error)).not.toContain("secret");
    expect(error.retry).toBe(true);
    return error.code;
  };
  const ca_file = certificate("ca.pem");
  const client = { cert_file: certificate("client.pem"), key_file: certificate("client.key") };
  const user = { username: "tapline", password_file: right };

  test("that asks for a client's certificate takes the right one", async () => {
    expect(await write({ brokers: tls, tls: { ca_file, ...client } })).toBe(5);
    expect((await messagesOf(broker!, topic)).length).toBe(5);
  });

  test("with a certificate of an authority that is not trusted is refused", async () => {
    const other = { ca_file: join(dir, "other.pem"), ...client };
    expect(await trouble({ brokers: tls, tls: other })).toBe("KAFKA_TLS");
    expect(await trouble({ brokers: tls, tls: client })).toBe("KAFKA_TLS");
  });

  test("refuses who shows no certificate, or none of its authority", async () => {
    const strange = { cert_file: join(dir, "other.pem"), key_file: join(dir, "other.key") };
    for (const shown of [{}, strange])
      expect(await trouble({ brokers: tls, tls: { ca_file, ...shown } })).toMatch(
        /^KAFKA_(TLS|UNREACHABLE)$/,
      );
  });

  test.each(["plain", "scram-sha-256", "scram-sha-512"])(
    "takes user and password, by %s",
    async (mechanism) => {
      expect(await write({ brokers: sasl, tls: { ca_file }, sasl: { ...user, mechanism } })).toBe(5);
    },
  );

  test("refuses a wrong password, and that is told", async () => {
    const login = { ...user, password_file: wrong };
    expect(await trouble({ brokers: sasl, tls: { ca_file }, sasl: login })).toBe("KAFKA_REFUSED");
  });

  test("that speaks TLS is not spoken to without", async () => {
    expect(await trouble({ brokers: tls })).toMatch(/^KAFKA_/);
  });
});
