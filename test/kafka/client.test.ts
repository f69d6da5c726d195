// The client that is not installed with the rest: without it source and sink say which package is missing and what
// builds it. What librdkafka says is known by its text, so each text is held here to what becomes of it.
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { TaplineError } from "../../src/core/errors.ts";
import { secretOf } from "../../src/core/secrets.ts";
import {
  type Client,
  connect,
  disconnect,
  kindOf,
  loadLibrary,
  settingsOf,
  troubleOf,
} from "../../src/kafka/client.ts";
import { LIMITS } from "../../src/core/limits.ts";

test("without the package, the error names it and what builds it", () => {
  const nowhere = new URL(`file://${tmpdir()}/tapline-nowhere/package.json`);
  let error: unknown;
  try {
    loadLibrary(nowhere);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TaplineError);
  const { code, retry, message, remedy } = error as TaplineError;
  expect([code, retry]).toEqual(["KAFKA_NOT_INSTALLED", false]);
  expect(message).toBe("the package node-rdkafka is not installed");
  expect(remedy).toContain("npm run kafka");
});

test("what librdkafka says becomes what somebody can do", () => {
  const texts: [string, ReturnType<typeof kindOf>, string][] = [
    ["Broker: Message size too large", "message", "KAFKA_MESSAGE"],
    ["message size too large", "message", "KAFKA_MESSAGE"],
    ["Broker: Broker failed to validate record", "message", "KAFKA_MESSAGE"],
    ["Broker: Invalid timestamp", "message", "KAFKA_MESSAGE"],
    ["Local: Fatal error", "fatal", "KAFKA_FATAL"],
    ["Local: SSL error", "tls", "KAFKA_TLS"],
    ["ssl://b:1/bootstrap: SSL handshake failed: certificate verify failed", "tls", "KAFKA_TLS"],
    ["Local: Authentication failure", "login", "KAFKA_REFUSED"],
    ["Broker: Topic authorization failed", "rights", "KAFKA_REFUSED"],
    ["Broker: Group authorization failed", "rights", "KAFKA_REFUSED"],
    ["Broker: Unknown topic or partition", "topic", "KAFKA_TOPIC"],
    ["Local: Unknown topic", "topic", "KAFKA_TOPIC"],
    ["Local: Broker transport failure", "world", "KAFKA_UNREACHABLE"],
    ["Local: Message timed out", "world", "KAFKA_UNREACHABLE"],
  ];
  for (const [message, kind, code] of texts) {
    expect(kindOf({ message }), message).toBe(kind);
    const trouble = troubleOf({ message }, "t");
    expect([trouble.code, trouble.retry]).toEqual([code, true]);
    expect(trouble.remedy).toBeDefined();
  }
});

describe("a producer that is taken apart is not polled: it would end the process", () => {
  /** As the library does it: what takes it apart runs in another thread, until `apart_ms` are over. */
  class Fake extends EventEmitter {
    apart = false;
    polls_apart = 0;
    polls = 0;
    #timer: NodeJS.Timeout | undefined;
    readonly #apart_ms: number;
    constructor(apart_ms: number) {
      super();
      this.#apart_ms = apart_ms;
    }
    isConnected = (): boolean => true;
    poll(): void {
      if (this.apart) this.polls_apart++;
      this.polls++;
    }
    setPollInterval(interval_ms: number): void {
      clearInterval(this.#timer);
      if (interval_ms > 0) this.#timer = setInterval(() => this.poll(), interval_ms);
    }
    disconnect(_timeout_ms: number, done: () => void): void {
      this.apart = true;
      setTimeout(done, this.#apart_ms);
    }
    /** Cannot connect: fails when it was asked once, and takes itself apart. */
    connect(_options: object, done: (error: { message: string; code: number }) => void): void {
      setTimeout(() => {
        this.disconnect(0, () => done({ message: "Local: Broker transport failure", code: -195 }));
        this.emit("connection.failure");
      }, 1.5 * LIMITS.kafka_asking_ms);
    }
  }

  test("when it is closed", async () => {
    const fake = new Fake(100);
    fake.setPollInterval(1);
    await sleep(50);
    await disconnect(fake as unknown as Client, true);
    fake.setPollInterval(0);
    expect(fake.polls).toBeGreaterThan(0);
    expect([fake.apart, fake.polls_apart]).toEqual([true, 0]);
  });

  test("when it could not connect", async () => {
    const fake = new Fake(3 * LIMITS.kafka_asking_ms);
    await expect(connect(fake as unknown as Client, "t")).rejects.toThrow("transport failure");
    expect(fake.polls).toBeGreaterThan(0);
    expect([fake.apart, fake.polls_apart]).toEqual([true, 0]);
  });
});

describe("settings", () => {
  const dir = mkdtempSync(join(tmpdir(), "tapline-kafka-"));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test("say how to connect, and verification is never switched off", async () => {
    const file = (name: string, text: string): string => {
      const path = join(dir, name);
      writeFileSync(path, text);
      return path;
    };
    const [ca_file, password_file] = [file("ca", "CA"), file("password", "word\n")];
    const plain = await settingsOf({ brokers: ["a:1", "b:2"] });
    expect(plain).toMatchObject({ "metadata.broker.list": "a:1,b:2", "security.protocol": "plaintext" });
    const tls = { ca_file, cert_file: file("cert", "CERT"), key_file: file("key", "KEY") };
    const sasl = { mechanism: "scram-sha-512", username: "u", password_file } as const;
    const both = await settingsOf({ brokers: ["a:1"], tls, sasl });
    expect(both).toMatchObject({
      "security.protocol": "sasl_ssl",
      "ssl.ca.pem": "CA",
      "ssl.certificate.pem": "CERT",
      "ssl.key.pem": "KEY",
      "sasl.mechanisms": "SCRAM-SHA-512",
      "sasl.password": "word",
    });
    expect((await settingsOf({ brokers: ["a:1"], sasl }))["security.protocol"]).toBe("sasl_plaintext");
    for (const settings of [plain, both])
      expect(Object.keys(settings).filter((name) => /verif|identification/.test(name))).toEqual([]);
    await expect(secretOf(file("two", "a\nb\n"), undefined, "KAFKA_SECRET")).rejects.toThrow("one line");
    await expect(secretOf(undefined, "NO_SUCH_VARIABLE", "KAFKA_SECRET")).rejects.toThrow("NO_SUCH_VARIABLE");
    await expect(settingsOf({ brokers: ["a:1"], tls: { ca_file: join(dir, "none") } })).rejects.toThrow(
      "cannot read",
    );
  });
});
