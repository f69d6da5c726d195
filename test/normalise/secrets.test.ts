// The table of secrets' shapes: every rule finds what it is for, RE2 agrees, and no text makes a search slow.
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { findSecrets } from "../../src/normalise/find.ts";
import { RULES, isPlaceholder, isSecretKey } from "../../src/normalise/secrets.ts";
import { randomOf } from "../random.ts";
import { plantedSecrets } from "./planted.ts";

describe("rules", () => {
  const planted = plantedSecrets(randomOf(1));

  test("every rule has a planted secret", () => {
    expect(RULES.map((r) => r.id).filter((id) => !planted.some((p) => p.rule === id))).toEqual([]);
  });

  test.each(planted)("$rule finds exactly its secret", ({ rule, secret, text }) => {
    for (const around of ["", "see ", "see\\n", "(", "é→"]) {
      const whole = `${around}${text}${around === "" ? "" : " end"}`;
      const found = findSecrets(whole).map((f) => ({ rule: f.rule, secret: whole.slice(f.start, f.end) }));
      expect(found).toEqual([{ rule, secret }]);
    }
  });

  test("several secrets in one text are all found, in order", () => {
    for (let seed = 2; seed < 40; seed++) {
      const some = plantedSecrets(randomOf(seed));
      const text = some.map((p) => p.text).join(" and\n");
      const found = findSecrets(text);
      for (const { secret, rule } of some) {
        const at = text.indexOf(secret);
        expect(
          found.some((f) => f.start <= at && f.end >= at + secret.length),
          `${rule} of seed ${seed}`,
        ).toBe(true);
      }
      for (let i = 1; i < found.length; i++)
        expect(found[i]!.start).toBeGreaterThanOrEqual(found[i - 1]!.end);
    }
  });

  test("RE2 reads every pattern and matches the same", () => {
    for (const { shape, pattern } of RULES) {
      const re2 = RE2JS.compile(shape.pattern, shape.fold ? RE2JS.CASE_INSENSITIVE : 0);
      for (const { text } of planted) {
        for (const keyword of shape.keywords) {
          const at = text.toLowerCase().indexOf(keyword.toLowerCase());
          if (at === -1) continue;
          pattern.lastIndex = at;
          const ours = pattern.exec(text)?.[0];
          const matcher = re2.matcher(text.slice(at));
          expect(ours, `${shape.id} in ${text}`).toBe(matcher.lookingAt() ? matcher.group() : undefined);
        }
      }
    }
  });

  test("every repetition is bounded and none holds another", () => {
    for (const { shape } of RULES) {
      for (const pattern of [shape.pattern, shape.before ?? ""]) {
        const bare = pattern.replace(/\\./g, "a").replace(/\[[^\]]*\]/g, "a");
        expect(bare, shape.id).not.toMatch(/[*+]/);
        expect(bare, shape.id).not.toMatch(/\)\{\d+,(?!1\}|2\})/);
        for (const bound of bare.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
          expect(Number(bound[2] ?? bound[1]), shape.id).toBeLessThanOrEqual(1000);
          expect(bound[2], shape.id).not.toBe("");
        }
      }
    }
  });
});

describe("quoted values", () => {
  test.each([
    [`{"password":"correct horse battery staple","a":"b c"}`, "correct horse battery staple"],
    [`{"user":"x","password" : "my dog rex"}`, "my dog rex"],
    [String.raw`{\"password\":\"my dog rex\",\"a\":1}`, "my dog rex"],
    [String.raw`password = "a \"b\" c\\" "next"`, String.raw`a \"b\" c\\`],
    [String.raw`{\"password\":\"a \\\"b\\\" c\"}`, String.raw`a \\\"b\\\" c`],
    [`export DB_PASSWORD='it is (me), you & I'; ls 'x'`, "it is (me), you & I"],
    ['passphrase: `one "two" three`', 'one "two" three'],
    [`pass_word="my dog rex"`, "my dog rex"],
    // What is never closed is taken to the first space.
    [`password="Correct1 horse`, "Correct1"],
    [`password="Correct1 horse\n"`, "Correct1"],
  ])("%s", (text, secret) => {
    expect(findSecrets(text).map((f) => text.slice(f.start, f.end))).toEqual([secret]);
  });
  test("too short, empty or no value", () => {
    for (const text of [
      `password="a b" c="d e f g"`,
      `'password': '', 'user': 'bob smith'`,
      `password="\${DB_PASSWORD}"`,
    ])
      expect(findSecrets(text), text).toEqual([]);
  });
});

describe("what is no secret", () => {
  test.each([
    "const token = getToken(request);",
    "password: string;",
    "to reset your password: https://www.example-12.com/reset",
    "token: req.headers.authorization",
    'password = os.environ["DB_PASSWORD"]',
    "export TOKEN=${GITHUB_TOKEN}",
    "secret: <your secret>",
    '{"input_tokens":123456789,"max_tokens":100000}',
    "https://user@example.com/path:8080",
    "http://localhost:3000/@scope/package",
    "the Basic structure of Bearer authentication",
    "grep -rn 'BEGIN RSA PRIVATE KEY' .",
    "d41d8cd98f00b204e9800998ecf8427e",
    "sha512-iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "123e4567-e89b-12d3-a456-426614174000",
    "sort -u file:list && curl https://example.com",
    "task-sk-anti-pattern-of-something-long-enough",
    "[REDACTED:password:12345678]",
    "password=[REDACTED:password:12345678]",
  ])("%s", (text) => {
    expect(findSecrets(text)).toEqual([]);
  });

  test("placeholders", () => {
    for (const text of [
      "${X}",
      "$(cat f)",
      "$TOKEN",
      "{{ secret }}",
      "<token>",
      "****",
      "xxxx",
      "null",
      "%PW%",
      "${{ secrets.TOKEN }}",
      "$db_password",
      "$env:TOKEN",
      "your_password",
      "YOUR-API-KEY",
      "<your secret>",
    ]) {
      expect(isPlaceholder(text), text).toBe(true);
    }
    for (const text of [
      "$ecret!23",
      "hunter2",
      "nullable9",
      "xylophone",
      "$ecretPassw0rd",
      "<Sup3rS3cret9",
      "your_Passw0rd1",
      "${x}hunter2",
      "{{hunter2",
      "[REDACTED:hunter2",
    ])
      expect(isPlaceholder(text), text).toBe(false);
  });

  test("keys", () => {
    for (const key of [
      "password",
      "DB_PASSWORD",
      "clientSecret",
      "x-api-key",
      "Authorization",
      "token",
      "aws_secret_access_key",
      "pass_phrase",
      "pass-phrase",
      "PASS_WORD",
      "secret-key",
    ]) {
      expect(isSecretKey(key), key).toBe(true);
    }
    for (const key of [
      "progressToken",
      "max_tokens",
      "nextPageToken",
      "tokens",
      "passwordless",
      "key",
      "id",
      "secretary",
    ]) {
      expect(isSecretKey(key), key).toBe(false);
    }
  });
});

test("time is linear whatever the text", () => {
  const length = 40_000;
  const pieces = [
    "-----BEGIN PRIVATE KEY-----",
    "PRIVATE KEY-----\n",
    "eyJ-",
    "eyJa.",
    "a@",
    "://a:",
    '":"',
    "_",
    "\\",
  ];
  for (const { shape } of RULES) {
    const k = shape.keywords[0]!;
    pieces.push(k, `${k}-`, `${k}=`, `${k}:"`, `${k}aA1.`, `${k}aaaaaaaaaaaaaaaaaaaa1111=`, `.${k}/`);
  }
  let slowest = { us: 0, piece: "" };
  for (const piece of pieces) {
    const text = piece.repeat(Math.ceil(length / piece.length));
    let us = Infinity;
    for (let i = 0; i < 2; i++) {
      // CPU time: others may use the machine.
      const start = process.cpuUsage();
      findSecrets(text);
      us = Math.min(us, process.cpuUsage(start).user / length);
    }
    if (us > slowest.us) slowest = { us, piece };
  }
  // Plain text takes 0.002 µs a character. What is quadratic takes 5 µs and more at this length.
  expect(slowest.us, `slowest on ${slowest.piece}`).toBeLessThan(2);
}, 120_000);
