// The prefilter may say yes too often, never too seldom: what redaction, flags and limits would find, it flags.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findSecrets } from "../../src/normalise/find.ts";
import {
  FLAG_DEEP,
  FLAG_NESTED,
  FLAG_NUMBER,
  FLAG_SECRET,
  FLAG_UNUSUAL,
  prefilter,
} from "../../src/normalise/prefilter.ts";
import { isPlaceholder, isSecretKey } from "../../src/normalise/secrets.ts";
import { unusualBits } from "../../src/normalise/unusual.ts";
import { randomOf } from "../random.ts";
import { plantedSecrets } from "./planted.ts";

/** Flags of a line that starts `shift` bytes into its buffer, between other lines. */
function flagsOf(line: string, shift = 0): number {
  const bytes = Buffer.from(line);
  const whole = Buffer.alloc(shift + bytes.length + 9, "\n");
  bytes.copy(whole, shift);
  return prefilter(whole, shift, shift + bytes.length);
}

/** JSON as other writers have it. */
const writers: Record<string, (value: unknown) => string> = {
  plain: (value) => JSON.stringify(value),
  "escaped slashes": (value) => JSON.stringify(value).replaceAll("/", "\\/"),
  "ASCII only": (value) =>
    JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "escaped for HTML": (value) =>
    JSON.stringify(value).replace(/[<>&']/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  "quotes as escapes": (value) => JSON.stringify(value).replaceAll('\\"', "\\u0022"),
  spaced: (value) => JSON.stringify(value, undefined, 1).replaceAll("\n", " "),
  "letters as escapes": (value) =>
    JSON.stringify(value).replace(/[gKAe]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
};

describe("secrets", () => {
  test.each(Object.keys(writers))("%s", (name) => {
    const write = writers[name]!;
    for (const { rule, text } of plantedSecrets(randomOf(7))) {
      for (const around of ["", "x ", "é\n", "\t"]) {
        const value = { a: 1, t: `${around}${text} end` };
        const nested = { t: JSON.stringify({ inner: JSON.stringify(value) }) };
        for (let shift = 0; shift < 8; shift++) {
          expect(flagsOf(write(value), shift) & FLAG_SECRET, `${rule} at ${shift}`).toBe(FLAG_SECRET);
          const found = findSecrets(nested.t).length > 0;
          if (found) expect(flagsOf(write(nested), shift) & FLAG_SECRET, `${rule} nested`).toBe(FLAG_SECRET);
        }
      }
    }
  });

  test("values of secret keys", () => {
    for (const key of [
      "password",
      "DB_PASSWORD",
      "clientSecret",
      "x-api-key",
      "Authorization",
      "token",
      "idToken",
    ]) {
      for (const value of ["abcd", "$ecret", "correct horse", "12345678"]) {
        expect(flagsOf(JSON.stringify({ [key]: value })) & FLAG_SECRET, `${key} ${value}`).toBe(FLAG_SECRET);
        expect(flagsOf(JSON.stringify({ [key]: [value] })) & FLAG_SECRET, `${key} [${value}]`).toBe(
          FLAG_SECRET,
        );
      }
    }
  });

  test("whatever is found in a record was flagged", () => {
    const some = plantedSecrets(randomOf(11)).map((p) => p.text);
    const piece = fc.oneof(
      fc.constantFrom(...some),
      fc.string(),
      fc.constantFrom("=", ": ", "'", "\\", "password", "token", "://"),
    );
    const text = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(""));
    const record = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("token", "secret", "apiKey")),
      fc.oneof(text, fc.array(text)),
    );
    fc.assert(
      fc.property(record, fc.constantFrom(...Object.values(writers)), fc.nat(7), (value, write, shift) => {
        let found = false;
        JSON.stringify(value, (key, item: unknown) => {
          found ||= findSecrets(key).length > 0;
          if (typeof item === "string") {
            found ||= findSecrets(item).length > 0;
            found ||= isSecretKey(key) && item.length >= 4 && !isPlaceholder(item);
          }
          return item;
        });
        if (found) expect(flagsOf(write(value), shift) & FLAG_SECRET).toBe(FLAG_SECRET);
      }),
      { numRuns: 2_000 },
    );
  });

  test("lines whose secret once passed", () => {
    const raw = [
      `"psql 'postgres://app:S3cr&t,pass9@db.internal/x'"`,
      `"export PASSWORD=abcd1234"`,
      `"export DB_PASSWORD=\\"Grüße-2024!\\""`,
      `"mysql --password='Müller2024!'"`,
      `"Bearer  3qvUCKAf62R7Bcz6k2Oaa99"`,
      String.raw`{"arguments":"{\"password\":\"my dog rex\"}"}`,
      String.raw`{"arguments":"{\"password\":\"(Tr0ub4dor&3)\"}"}`,
      String.raw`{"arguments":"{\n \"password\": [\n  \"my dog\"\n ]\n}"}`,
      String.raw`{"a":"https:\\\/\\\/u:p4ss@h"}`,
      '{\n "password": [\n  "hunter22xy"\n ]\n}',
      `{"password":${" ".repeat(100)}"hunter22xy"}`,
      '{"pass_phrase":"my dog"}',
      '{"pass-word":"my dog"}',
      '{"pageSecret":"my dog"}',
      '{"password":84736251}',
      '{"password":[null,"my dog"]}',
      '{"password":{"value":"my dog"}}',
      '{"name":"DB_PASSWORD","value":"my dog"}',
      '{"value":"my dog","name":"DB_PASSWORD"}',
    ];
    for (const line of raw)
      for (let shift = 0; shift < 8; shift++)
        expect(flagsOf(line, shift) & FLAG_SECRET, line).toBe(FLAG_SECRET);
  });

  test("plain records are not flagged", () => {
    const lines = [
      {
        ts: "2026-01-01T00:00:00.000Z",
        dir: "c2s",
        msg: {
          jsonrpc: "2.0",
          id: 7,
          method: "tools/call",
          params: {
            name: "read_file",
            arguments: { path: "/home/ana/token/secret.md" },
            _meta: { progressToken: "abcdefgh12345678" },
          },
        },
      },
      {
        usage: {
          input_tokens: 123456,
          output_tokens: 99,
          max_tokens: 100000,
          tokens: 4096,
          token_count: 5000,
        },
        password: "",
        secret: [],
        token: null,
        text: "the password is stored elsewhere; tokens: many",
      },
      {
        url: "https://example.com/a/b?x=1",
        id: "123e4567-e89b-12d3-a456-426614174000",
        sha: "d41d8cd98f00b204e9800998ecf8427e",
      },
    ];
    for (const line of lines)
      for (let shift = 0; shift < 8; shift++) expect(flagsOf(JSON.stringify(line), shift)).toBe(0);
  });
});

describe("unusual characters", () => {
  const characters = [
    "\u200b",
    "\u202e",
    "\u2066",
    "\u2060",
    "\u00ad",
    "\u180e",
    "\ufeff",
    "\u009b",
    "\u{e0041}",
    "\u001b",
    "\u0000",
    "\u200f",
  ];
  test.each(characters.map((c) => [c.codePointAt(0)!.toString(16), c]))("U+%s", (_, c) => {
    expect(unusualBits(c)).toBeGreaterThan(0);
    for (let shift = 0; shift < 8; shift++) {
      const line = JSON.stringify({ t: `ab${c}cd` });
      expect(flagsOf(line, shift) & FLAG_UNUSUAL).toBe(FLAG_UNUSUAL);
      expect(flagsOf(writers["ASCII only"]!({ t: `ab${c}cd` }), shift) & FLAG_UNUSUAL).toBe(FLAG_UNUSUAL);
      expect(
        flagsOf(
          writers["ASCII only"]!({ t: `ab${c}cd` }).replace(
            /\\u[0-9a-f]{4}/g,
            (e) => "\\u" + e.slice(2).toUpperCase(),
          ),
          shift,
        ) & FLAG_UNUSUAL,
      ).toBe(FLAG_UNUSUAL);
    }
  });

  test("any character that has a flag is flagged, in both spellings", () => {
    for (let code = 0; code < 0x10000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const text = `a${String.fromCharCode(code)}`;
      if (unusualBits(text) === 0) continue;
      for (const line of [JSON.stringify(text), `"a\\u${code.toString(16).padStart(4, "0")}"`]) {
        for (const shift of [0, 1])
          expect(flagsOf(line, shift) & FLAG_UNUSUAL, code.toString(16)).toBe(FLAG_UNUSUAL);
      }
    }
  });

  test("usual text is not", () => {
    for (const text of [
      "naïve café — “quoted” … 日本語 emoji 🙂 €",
      "tab\tline\nreturn\r",
      "a\u00a0b",
      "user\\u0041",
    ]) {
      for (let shift = 0; shift < 8; shift++)
        expect(flagsOf(JSON.stringify({ text }), shift) & FLAG_UNUSUAL, text).toBe(0);
    }
  });
});

test("depth and numbers", () => {
  for (let shift = 0; shift < 8; shift++) {
    expect(flagsOf("[".repeat(65) + "]".repeat(65), shift) & FLAG_DEEP).toBe(FLAG_DEEP);
    expect(flagsOf('{"a":'.repeat(65) + "1" + "}".repeat(65), shift) & FLAG_DEEP).toBe(FLAG_DEEP);
    expect(flagsOf('{"a":'.repeat(64) + "1" + "}".repeat(64), shift)).toBe(FLAG_NESTED);
    expect(flagsOf('{"a":'.repeat(16) + "1" + "}".repeat(16), shift)).toBe(0);
    for (const n of [
      "9007199254740993",
      "-18446744073709551615",
      "1234567890123456789012345678901234567890",
    ]) {
      expect(flagsOf(`{"abc":"${"x".repeat(shift)}","n":${n}}`, shift)).toBe(FLAG_NUMBER);
      expect(flagsOf(`{"abc":"${"x".repeat(shift)}","n":[1, ${n}]}`, shift)).toBe(FLAG_NUMBER);
      expect(flagsOf(`{"abc":"${"x".repeat(shift)}","n":"${n.replace("-", "")}"}`, shift)).toBe(0);
    }
    expect(flagsOf('{"n":1760000000000,"m":123456789012345}', shift)).toBe(0);
  }
});

test("a buffer within another, and empty records", () => {
  const outer = new Uint8Array(64);
  const inner = outer.subarray(13, 13 + 20);
  Buffer.from(inner.buffer, inner.byteOffset, inner.length).write("\u001b[31m red");
  expect(prefilter(inner, 0, 20) & FLAG_UNUSUAL).toBe(FLAG_UNUSUAL);
  expect(prefilter(new Uint8Array(0), 0, 0)).toBe(0);
  expect(prefilter(new Uint8Array(1), 0, 1)).toBe(0);
});
