// Every value modifier and every kind of value, as the specification and detection semantics have them.
import { describe, expect, test } from "vitest";
import { errorsOf, holds } from "./helpers.ts";

const yes = (item: string, event: object): void => expect(holds(item, event), item).toBe(true);
const no = (item: string, event: object): void => expect(holds(item, event), item).toBe(false);

describe("plain values", () => {
  test("text is compared without regard to case, cased with it", () => {
    yes("a: Whoami", { a: "WHOAMI" });
    no("a|cased: Whoami", { a: "WHOAMI" });
    yes("a|cased: Whoami", { a: "Whoami" });
    no("a|contains|cased: HO", { a: "whoami" });
    yes("a|contains|cased: ho", { a: "whoami" });
    no("a: who", { a: "whoami" });
  });
  test("a list is any of, `all` is all of", () => {
    yes("a: [x, y]", { a: "y" });
    yes("a|contains|all: [x, y]", { a: "-y-x-" });
    no("a|contains|all: [x, y]", { a: "-y-" });
  });
  test("null is absent or null, empty is present and empty", () => {
    yes("a: null", {});
    yes("a: null", { a: null });
    no("a: null", { a: "" });
    yes("a: ''", { a: "" });
    no("a: ''", {});
    yes("a: [null, x]", {});
    yes("a: []", {});
  });
  test("exists asks for presence alone", () => {
    yes("a|exists: true", { a: null });
    yes("a|exists: true", { a: "" });
    no("a|exists: true", {});
    yes("a|exists: false", {});
    expect(errorsOf("s:\n  a|exists: 'yes'\ncondition: s")).toEqual(["value_type"]);
  });
  test("numbers and booleans meet their text", () => {
    yes("a: 42", { a: 42 });
    yes("a: 42", { a: "42" });
    yes("a: '42'", { a: 42 });
    no("a: 42", { a: 420 });
    yes("a|contains: 2", { a: 420 });
    yes("a: true", { a: true });
    yes("a: true", { a: "True" });
    no("a: true", { a: 1 });
  });
  test("an array matches by any element", () => {
    yes("a: y", { a: ["x", "y"] });
    yes("a: 2", { a: [1, 2] });
    yes("a|contains|all: [x, y]", { a: ["ax", "ay"] });
    no("a: z", { a: ["x", "y"] });
    no("a: z", { a: [] });
  });
  test("nested fields by path, dotted keys beside a path, objects by any text inside", () => {
    yes("a.b: x", { a: { b: "x" } });
    yes("a.b: x", { "a.b": "x", a: { b: "y" } });
    yes("a.b: y", { "a.b": "x", a: { b: "y" } });
    yes("a.b.c: x", { a: { "b.c": "x" } });
    yes("a.b: x", { a: [{ b: "y" }, { b: "x" }] });
    yes("a|contains: deep", { a: { b: [{ c: "so deep" }] } });
    no("constructor: x", {});
    no("constructor|exists: true", {});
    no("a.__proto__|exists: true", { a: {} });
  });
});

describe("text modifiers", () => {
  test("contains, startswith, endswith", () => {
    yes("a|contains: MID", { a: "a mid b" });
    yes("a|startswith: ab", { a: "ABC" });
    no("a|startswith: bc", { a: "ABC" });
    yes("a|endswith: bc", { a: "ABC" });
    no("a|endswith: ab", { a: "ABC" });
    yes("a|startswith: 'a*c'", { a: "abbcd" });
    yes("a|endswith: 'a?c'", { a: "xxabc" });
  });
  test("re is case-sensitive unless told, with flags i m s", () => {
    yes("a|re: 'fo+'", { a: "xfoo" });
    no("a|re: 'FO+'", { a: "xfoo" });
    yes("a|re|i: 'FO+'", { a: "xfoo" });
    yes("a|re: '(?i)FO+'", { a: "xfoo" });
    no("a|re: '^b'", { a: "a\nb" });
    yes("a|re|m: '^b'", { a: "a\nb" });
    no("a|re: 'a.b'", { a: "a\nb" });
    yes("a|re|s: 'a.b'", { a: "a\nb" });
    yes("a|re|i: 'ignore'", { a: "IGNORE \u017f" });
    yes("a|re|i: 'secret'", { a: "\u017fECRET" });
    yes("a|re: '^4\\d$'", { a: 42 });
    expect(errorsOf("s:\n  a|re: '(?<=x)y('\ncondition: s")).toEqual(["regex"]);
    expect(errorsOf("s:\n  a|contains|re: x\ncondition: s")).toEqual(["modifier_use"]);
    expect(errorsOf("s:\n  a|i: x\ncondition: s")).toEqual(["modifier_use"]);
  });
  test("cidr of both families", () => {
    yes("a|cidr: 10.0.0.0/8", { a: "10.200.3.4" });
    no("a|cidr: 10.0.0.0/8", { a: "11.0.0.1" });
    no("a|cidr: 10.0.0.0/8", { a: "10.0.0" });
    yes("a|cidr: '2001:db8::/32'", { a: "2001:0db8:1::1" });
    no("a|cidr: '2001:db8::/32'", { a: "2001:db9::1" });
    yes("a|cidr: [192.168.0.0/16, 10.0.0.0/8]", { a: ["8.8.8.8", "10.0.0.1"] });
    for (const bad of ["10.0.0.1/8", "10.0.0.0/33", "10.0.0/8", "2001:db8::1/32", "x"]) {
      expect(errorsOf(`s:\n  a|cidr: '${bad}'\ncondition: s`), bad).toEqual(["cidr"]);
    }
  });
  test("comparisons take numbers and text that is a number", () => {
    yes("a|gt: 5", { a: 6 });
    yes("a|gt: 5", { a: "6" });
    no("a|gt: 5", { a: 5 });
    yes("a|gte: 5", { a: 5 });
    yes("a|lt: 5", { a: 4.5 });
    yes("a|lte: 5", { a: 5 });
    no("a|lt: 5", { a: "x" });
    no("a|lt: 5", { a: "" });
    no("a|lt: 5", {});
    expect(errorsOf("s:\n  a|lt: five\ncondition: s")).toEqual(["value_type"]);
  });
  test("neq is not any of, so an absent field matches", () => {
    yes("a|neq: x", { a: "y" });
    no("a|neq: x", { a: "X" });
    yes("a|neq: x", {});
    no("a|neq: [x, y]", { a: "y" });
    yes("a|contains|neq: x", { a: "abc" });
    no("a|neq: 4", { a: 4 });
  });
  test("fieldref compares with another field", () => {
    yes("a|fieldref: b", { a: "X", b: "x" });
    no("a|fieldref: b", { a: "x", b: "y" });
    no("a|fieldref: b", { a: "x" });
    yes("a|fieldref|neq: b", { a: "x", b: "y" });
    yes("a|fieldref|startswith: b", { a: "/srv/a", b: "/srv" });
    no("a|fieldref|startswith: b", { a: "/etc/a", b: "/srv" });
    yes("a|fieldref|endswith: b", { a: "x.ts", b: ".ts" });
    yes("a|fieldref|contains: b", { a: "x.ts", b: "." });
  });
  test("windash takes any dash at every switch", () => {
    for (const text of ["cmd -a /b", "cmd /a /b", "cmd –a ―b", "cmd —a -b"])
      yes("a|windash|contains: ' -a -b'", { a: text });
    no("a|windash|contains: ' -a -b'", { a: "cmd +a -b" });
    yes("a|windash: '/a-b'", { a: "-a-b" });
    no("a|windash: '/a-b'", { a: "-a/b" });
  });
  test("expand puts in every value of a placeholder, as literal text", () => {
    const values = { servers: ["alpha", "be*ta"], n: ["1", "2"] };
    expect(holds("a|expand: '%servers%'", { a: "ALPHA" }, values)).toBe(true);
    expect(holds("a|expand: '%servers%'", { a: "be*ta" }, values)).toBe(true);
    expect(holds("a|expand: '%servers%'", { a: "beta" }, values)).toBe(false);
    expect(holds("a|contains|expand: '%servers%-%n%'", { a: "x alpha-2 y" }, values)).toBe(true);
    expect(holds("a|expand: '\\%n\\%'", { a: "%n%" }, values)).toBe(true);
    expect(holds("a: '%n%'", { a: "%n%" }, values)).toBe(true);
    expect(holds("a|cidr|expand: '%nets%'", { a: "10.1.1.1" }, { nets: ["10.0.0.0/8"] })).toBe(true);
    expect(
      errorsOf("s:\n  a|expand: '%server%'\ncondition: s", { fields: "any", placeholders: values }),
    ).toEqual(["placeholder"]);
    const many = { p: Array.from({ length: 200 }, (_, i) => `v${i}`) };
    expect(errorsOf("s:\n  a|expand: '%p%%p%'\ncondition: s", { fields: "any", placeholders: many })).toEqual(
      ["values"],
    );
  });
  test("time parts in UTC, ISO weeks", () => {
    const event = { t: "2026-01-01T03:04:05.000Z" };
    yes("t|hour: 3", event);
    yes("t|minute: 4", event);
    yes("t|day: 1", event);
    yes("t|month: 1", event);
    yes("t|year: 2026", event);
    yes("t|week: 1", event);
    yes("t|week: 53", { t: "2027-01-01T00:00:00+00:00" });
    yes("t|hour: 3", { t: "2026-01-01T05:04:05+02:00" });
    yes("t|hour|lt: 6", event);
    no("t|hour: [1, 2]", event);
    no("t|hour: 3", { t: "soon" });
  });
});

const b64 = (text: string, encoding: BufferEncoding = "utf8"): string =>
  Buffer.from(text, encoding).toString("base64");

describe("encodings", () => {
  test("base64", () => {
    yes("a|base64: secret", { a: b64("secret") });
    yes("a|base64|contains: sec", { a: b64("secret") });
    yes("a|base64: é", { a: b64("é") });
  });
  test("base64offset finds the text wherever it stands", () => {
    for (const before of ["", "x", "xy", "xyz"]) {
      for (const value of ["PRIVATE KEY", "schlüssel", "é€"]) {
        yes(`a|base64offset|contains|cased: ${value}`, { a: b64(`${before}${value} and more`) });
        yes(`a|wide|base64offset|contains|cased: ${value}`, {
          a: b64(`${before}${value} and more`, "utf16le"),
        });
      }
    }
    no("a|base64offset|contains: other", { a: b64("PRIVATE KEY") });
  });
  test("wide, utf16le, utf16be and utf16 with its mark", () => {
    const be = Buffer.from("ping", "utf16le").swap16().toString("base64");
    yes("a|wide|base64: ping", { a: b64("ping", "utf16le") });
    yes("a|utf16le|base64: ping", { a: b64("ping", "utf16le") });
    yes("a|utf16be|base64: ping", { a: be });
    yes("a|utf16|base64: ping", { a: Buffer.from("\ufeffping", "utf16le").toString("base64") });
    no("a|wide|base64: ping", { a: be });
    yes("a|wide|contains: ping", { a: "x p\0i\0n\0g\0" });
  });
  test("wildcards have no encoding", () => {
    expect(errorsOf("s:\n  a|base64: 'x*'\ncondition: s")).toEqual(["wildcard"]);
    expect(errorsOf("s:\n  a|contains|base64: x\ncondition: s")).toEqual(["wildcard"]);
    yes("a|base64: 'x\\*'", { a: b64("x*") });
  });
});

describe("misuse is refused by name", () => {
  test.each([
    ["a|contain: x", "modifier"],
    ["a|contains|startswith: x", "modifier_use"],
    ["a|re|cidr: x", "modifier_use"],
    ["a|gt|contains: 1", "modifier_use"],
    ["a|hour|contains: 1", "modifier_use"],
    ["a|contains: null", "value_type"],
    ["a: {b: c}", "value"],
    ["'|gt': 1", "modifier_use"],
  ])("%s", (item, code) => {
    expect(errorsOf(`s:\n  ${item}\ncondition: s`)).toEqual([code]);
  });
});
