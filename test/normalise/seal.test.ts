// Sealed fields: sinks read them while the key is there, nobody after it is erased; a changed seal stays closed.
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { newEvent, serialise } from "../../src/core/generated/event.ts";
import { applyCapture } from "../../src/normalise/capture.ts";
import { createSealer } from "../../src/normalise/seal.ts";

const root = mkdtempSync(join(tmpdir(), "tapline-seal-"));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const directory = (): string => join(root, `keys${count++}`);
const subject = createDigest("k")("42");
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("sealer", () => {
  test("opens what it sealed, within JSON, whatever the text", () => {
    const sealer = createSealer(directory());
    for (const text of ["ana", "", 'quote " back \\ line \n é 日本 🙂', "[SEALED:v1:x]", "a".repeat(5_000)]) {
      const sealed = sealer.seal(subject, text);
      expect(sealed).toMatch(/^\[SEALED:v1:[0-9a-f]{32}:[A-Za-z0-9_-]+\]$/);
      const opened = sealer.open(bytes(JSON.stringify({ a: sealed, b: `x ${sealed} y`, c: 1 })));
      expect(JSON.parse(Buffer.from(opened).toString())).toEqual({ a: text, b: `x ${text} y`, c: 1 });
    }
  });

  test("hands back the same bytes when nothing is sealed", () => {
    const entry = bytes('{"a":"[SEALED:v0:x]"}');
    expect(createSealer(directory()).open(entry)).toBe(entry);
  });

  test("the same text gives another ciphertext each time, each person has a key, files are private", () => {
    const keys = directory();
    const sealer = createSealer(keys);
    expect(sealer.seal(subject, "ana")).not.toBe(sealer.seal(subject, "ana"));
    sealer.seal(subject.replace(/^./, "f"), "bob");
    const files = readdirSync(keys);
    expect(files).toHaveLength(2);
    for (const file of files) expect(statSync(join(keys, file)).mode & 0o777).toBe(0o600);
    expect(statSync(keys).mode & 0o777).toBe(0o700);
  });

  test("another process's sealer reads and seals with the same key", () => {
    const keys = directory();
    const [a, b] = [createSealer(keys), createSealer(keys)];
    const [x, y] = [a.seal(subject, "from a"), b.seal(subject, "from b")];
    expect(Buffer.from(createSealer(keys).open(bytes(`["${x}","${y}"]`))).toString()).toBe(
      '["from a","from b"]',
    );
  });

  test("erasing the key erases the person; what is sealed later has a new key", () => {
    const keys = directory();
    const sealer = createSealer(keys);
    const old = sealer.seal(subject, "ana");
    rmSync(join(keys, `${subject}.key`));
    expect(Buffer.from(sealer.open(bytes(`["${old}"]`))).toString()).toBe(`["${old}"]`);
    const fresh = sealer.seal(subject, "ana again");
    expect(Buffer.from(sealer.open(bytes(`["${fresh}","${old}"]`))).toString()).toBe(
      `["ana again","${old}"]`,
    );
  });

  test("every changed character keeps it closed", () => {
    const sealer = createSealer(directory());
    const sealed = sealer.seal(subject, "ana");
    for (let i = 11; i < sealed.length - 1; i++) {
      if (sealed[i] === ":") continue;
      const other = sealed[i] === "a" ? "b" : "a";
      const changed = `["${sealed.slice(0, i)}${other}${sealed.slice(i + 1)}"]`;
      const opened = Buffer.from(sealer.open(bytes(changed))).toString();
      // The last character of base64 has bits that say nothing.
      if (i < sealed.length - 2) expect(opened, `at ${i}`).toBe(changed);
    }
    expect(Buffer.from(sealer.open(bytes(`["[SEALED:v1:${subject}:AAAA]"]`))).toString()).toContain("SEALED");
  });

  test("refuses keys that others can read, files that are no key, subjects that are paths", () => {
    const keys = directory();
    const sealer = createSealer(keys);
    const sealed = sealer.seal(subject, "ana");
    chmodSync(join(keys, `${subject}.key`), 0o644);
    expect(() => sealer.open(bytes(sealed))).toThrow(/can be read by others/);
    writeFileSync(join(keys, `${subject}.key`), "short");
    chmodSync(join(keys, `${subject}.key`), 0o600);
    expect(() => createSealer(keys).seal(subject, "ana")).toThrow(/is no key/);
    expect(() => sealer.seal("../../etc/passwd", "x")).toThrow(/subject/);
  });
});

test("an event's user is sealed as one person, others each as their own", () => {
  const keys = directory();
  const sealer = createSealer(keys);
  const users = {
    "user.id": "42",
    "user.name": "ana",
    "user.email": "ana@x.example",
    "user.effective.name": "bob",
  };
  const e = Object.assign(newEvent(), users);
  const capture = {
    arguments: "redacted",
    results: "redacted",
    messages: "redacted",
    identity: "sealed",
  } as const;
  applyCapture(e, capture, createDigest("k"), sealer);
  const text = serialise(e);
  expect(text).not.toMatch(/ana|bob/);
  expect(e["tapline.capture.identity"]).toBe("sealed");
  expect(readdirSync(keys)).toHaveLength(2);
  const opened = JSON.parse(Buffer.from(sealer.open(bytes(text))).toString()) as { user: unknown };
  expect(opened.user).toEqual({ id: "42", name: "ana", email: "ana@x.example", effective: { name: "bob" } });
});
