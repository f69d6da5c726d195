// Ways around a list of directories or hosts, and what a list lets through. The oracles are the file system itself and
// the URL parsers of two languages' readers.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve as resolvePath } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Violation, ready, violationOf } from "../../src/policy/arguments.ts";
import type { ArgumentRule } from "../../src/policy/compiled.ts";
import { below, hostIn, pathsOf } from "../../src/policy/places.ts";
import { HOME } from "./make.ts";
import { cpuMs } from "../cpu.ts";

function wrong(rule: ArgumentRule, args: unknown, key = "x", cwd?: string): Violation | undefined {
  return violationOf(ready(key, rule, HOME), args, { home: HOME, cwd });
}

describe("paths", () => {
  const rule = { under: ["~/work", "/srv/data/"] };
  test.each([
    "/home/ada/work",
    "/home/ada/work/a.txt",
    "~/work/a",
    "/srv/data/../data/x",
    "file:///srv/data/a%20b",
    "/srv//data/./x/",
  ])("inside: %s", (path) => expect(wrong(rule, { x: path })).toBeUndefined());
  test.each([
    "/etc/passwd",
    "/home/ada/workshop",
    "/home/ada/work/../.ssh/id_rsa",
    "~/work/%2e%2e/.ssh/id_rsa",
    "~/work/%252e%252e/.ssh/id_rsa",
    String.raw`~/work\..\.ssh\id_rsa`,
    "~/work/..%2f.ssh",
    "~/work/..%5c..%5cx",
    "~root/work/x",
    "work/x",
    "./x",
    "",
    "file://evil.example/srv/data/x",
    "file:///srv/data/%2e%2e/%2e%2e/etc/passwd",
    "/srv/data/x\u0000.png",
    "/srv/data/%c0%ae%c0%ae/etc",
    "/SRV/data/x",
    "C:/srv/data",
    "https://example.com/srv/data",
  ])("outside, or not certain: %s", (path) => expect(wrong(rule, { x: path })).toBe("under"));

  test("lists, objects and everything under *", () => {
    expect(wrong(rule, { x: ["~/work/a", "/etc/passwd"] })).toBe("under");
    expect(wrong(rule, { x: { deep: [{ path: "/etc/passwd" }] } })).toBe("under");
    expect(wrong(rule, { y: "/etc/passwd" })).toBeUndefined();
    expect(wrong(rule, { y: { z: "/etc/passwd" }, n: 1 }, "*")).toBe("under");
    expect(wrong(rule, { y: "a text with ~/work in it" }, "*", "/srv/data")).toBeUndefined();
    expect(
      wrong(rule, { y: "a text\nwith ~/work in it", z: "word", u: "https://a.example/b" }, "*"),
    ).toBeUndefined();
    // A path that has spaces is relative like any other.
    expect(wrong(rule, { y: "my documents/x" }, "*")).toBe("under");
    expect(wrong(rule, { y: "my documents/x" }, "*", "/srv")).toBe("under");
    expect(wrong(rule, { y: " /etc/passwd" }, "*", "/srv/data")).toBe("under");
    expect(wrong(rule, { y: "a/../../etc/passwd" }, "*")).toBe("under");
    expect(wrong(rule, "/etc/passwd")).toBe("arguments");
    expect(wrong(rule, undefined)).toBeUndefined();
    expect(wrong(rule, { x: "a/b" }, "x", "/srv/data")).toBeUndefined();
    expect(wrong(rule, { x: "../b" }, "x", "/srv/data")).toBe("under");
  });

  test("what is kept out is kept out in any case of its letters", () => {
    const out = { not_under: ["~/.ssh"] };
    expect(wrong(out, { x: "~/.SSH/id_rsa" })).toBe("not_under");
    expect(wrong(out, { x: "~/.sshx" })).toBeUndefined();
    expect(wrong(out, { x: "relative" })).toBe("not_under");
  });

  test.each([
    ".git/config",
    ".git",
    "./.git/config",
    ".git\\config",
    ".GIT/config",
    " .git\n",
    "a/../.git",
    ".gi%74",
  ])("kept out where nobody says that it is a path: %j", (path) => {
    const both = { under: ["/home/ada/work"], not_under: ["/home/ada/work/.git"] };
    expect(wrong(both, { path }, "*", "/home/ada/work")).toBe("not_under");
    expect(wrong({ not_under: both.not_under }, { deep: [path] }, "*", "/home/ada/work")).toBe("not_under");
  });

  test("names that lead nowhere near pass", () => {
    const both = { under: ["/home/ada/work"], not_under: ["/home/ada/work/.git"] };
    for (const text of [
      ".gitignore",
      "src/.gitignore",
      "word",
      "two words",
      "100%",
      "a line\nand another .git",
    ])
      expect(wrong(both, { text }, "*", "/home/ada/work"), text).toBeUndefined();
    // Without a directory a word tells no place.
    expect(wrong({ not_under: ["~/.ssh"] }, { text: "word" }, "*")).toBeUndefined();
  });

  test("a name of an argument that differs in case alone is what some servers read", () => {
    for (const key of ["X", "\u017fx"]) {
      const name = key === "X" ? "x" : "sx";
      expect(wrong(rule, { [key]: "/srv/data/a" }, name)).toBe("arguments");
      expect(wrong({ max_bytes: 9 }, { [name]: "a", [key]: "b" }, name)).toBe("arguments");
    }
  });

  test("too many texts, or too deep, cannot be checked", () => {
    expect(wrong(rule, { x: Array(5_000).fill("~/work/a") })).toBe("arguments");
    let deep: unknown = "/etc/passwd";
    for (let i = 0; i < 100; i++) deep = [deep];
    expect(wrong(rule, { x: deep })).toBe("arguments");
  });

  test("no path that is let through leads out, as the file system sees it", () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "tapline-paths-")));
    mkdirSync(join(root, "in", "a", "b"), { recursive: true });
    mkdirSync(join(root, "out"));
    const part = fc.constantFrom("a", "b", "..", ".", "", "in", "out", "%2e%2e", "~", "..%2f");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), fc.boolean(), (parts, absolute) => {
        const path = `${absolute ? `${root}/in/` : ""}${parts.join("/")}`;
        const cwd = join(root, "in");
        if (wrong({ under: [cwd] }, { x: path }, "x", cwd) !== undefined) return;
        for (const read of [path, decodeURIComponent(path)]) {
          expect(below(resolvePath(cwd, read), cwd), read).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
    rmSync(root, { recursive: true });
  });

  test("a path that two decodings make different is read both ways", () => {
    expect(pathsOf("/a/%2e%2e/b", { home: HOME, cwd: undefined })).toEqual(["/a/%2e%2e/b", "/b"]);
  });
});

describe("hosts", () => {
  const rule = { hosts: ["api.example.com", "*.svc.example.com", "10.0.0.1", "local.example:8443", "[::1]"] };
  test.each([
    "https://api.example.com/x?q=1",
    "https://API.example.com./",
    "api.example.com",
    "api.example.com:9000/path",
    "//api.example.com/x",
    "https://a.b.svc.example.com",
    "http://10.0.0.1/",
    "https://local.example:8443/",
    "http://[::1]:3000/",
    "postgres://api.example.com:5432/db",
  ])("inside: %s", (url) => expect(wrong(rule, { x: url })).toBeUndefined());
  test.each([
    "https://evil.example",
    "https://api.example.com.evil.example/",
    "https://api.example.com@evil.example/",
    String.raw`https://api.example.com\@evil.example/`,
    "https://evil.example/?u=https://api.example.com",
    "https://evil.example#api.example.com",
    "https://svc.example.com",
    "http://167772161/",
    "http://0x0a.0.0.1/",
    "http://012.0.0.1/",
    "http://10.1/",
    "http://[::ffff:10.0.0.1]/",
    "http://\uff11\uff10.0.0.1/",
    "https://api.example.com%2eevil.example/",
    "https://api.example.com\n.evil.example/",
    " https://evil.example",
    "local.example",
    "https://local.example/",
    "https://[::1]::80",
    "javascript:alert(1)",
    "data:text/plain,x",
    "file:///etc/passwd",
    "mailto:a@api.example.com",
    "",
  ])("outside, or not certain: %s", (url) => expect(wrong(rule, { x: url })).toBe("hosts"));

  test("a text made of nothing but starts of URLs takes no time", () => {
    const start = cpuMs();
    expect(wrong(rule, { a: "://".repeat(1_000_000) }, "*")).toBe("arguments");
    expect(wrong(rule, { x: `https://${"a.".repeat(1_000_000)}` })).toBe("hosts");
    for (const text of [
      "https:".repeat(1_000_000),
      "https:/".padEnd(4_000_000, "/\t"),
      "\n".repeat(4_000_000),
    ])
      wrong(rule, { a: text }, "*");
    expect(wrong({ under: ["/a"] }, { x: "%".repeat(1_000_000) })).toBe("under");
    expect(wrong({ under: ["/a"] }, { x: "/..".repeat(1_000_000) })).toBe("under");
    expect(cpuMs() - start).toBeLessThan(5_000);
  });

  test("every URL in every text, under *", () => {
    expect(wrong(rule, { a: "see https://api.example.com/x" }, "*")).toBeUndefined();
    expect(wrong(rule, { a: ["see https://api.example.com/x and http://evil.example/y"] }, "*")).toBe(
      "hosts",
    );
    expect(wrong(rule, { a: "no address" }, "*")).toBeUndefined();
    expect(wrong({ not_hosts: ["169.254.169.254"] }, { a: "curl http://0xa9fea9fe/latest" }, "*")).toBe(
      "not_hosts",
    );
    expect(
      wrong({ not_hosts: ["169.254.169.254"] }, { a: "curl http://[::ffff:169.254.169.254]/" }, "*"),
    ).toBe("not_hosts");
    expect(wrong({ not_hosts: ["evil.example"] }, { a: "http://good.example" }, "*")).toBeUndefined();
  });

  test.each([
    "https:/evil.example/x",
    "https:evil.example",
    "HTTPS:///evil.example",
    String.raw`https:\\evil.example`,
    "https:/\t/evil.example",
    "https:\n//evil.example",
    "see https:evil.example",
    "//evil.example/x",
    "///evil.example",
    String.raw`/\evil.example`,
    " \n//evil.example",
    "/\t/evil.example",
    "ht\ntps:evil.example",
    "https://api.example.com @evil.example/",
    `https://api.example.com${" ".repeat(5_000)}@evil.example/`,
    "https://api.example.com\n.evil.example/",
    "postgres://api.example.com\t.evil.example",
  ])("a URL as the web's readers take it, under *: %j", (url) => {
    expect(wrong(rule, { a: url }, "*")).toBe("hosts");
  });

  test.each([
    "https:/api.example.com/x",
    "https:api.example.com",
    "//api.example.com/x",
    "https://api.example.com/x\nand a line",
    "about https: it is encrypted",
    "// a comment",
    "a // b",
    "http:",
    "key: http:\n  port: 80",
  ])("nothing wrong with it, under *: %j", (text) => {
    expect(wrong(rule, { a: text }, "*")).toBeUndefined();
  });

  test("what passes under * is for the platform's parser no URL, or one of the hosts", () => {
    const part = fc.constantFrom(
      ..."https: http: HTTP: ws: ftp: / // \\ : @ # ? evil.example api.example.com 10.0.0.1 [::1] a %2e".split(
        " ",
      ),
      ..." \t\n\r".split(""),
    );
    const names = new Set(["api.example.com", "10.0.0.1", "[::1]"]);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
        const text = parts.join("");
        if (wrong(rule, { a: text }, "*") !== undefined) return;
        for (const url of [
          URL.parse(text),
          /^[\s]*[/\\]/.test(text) ? URL.parse(text, "https://api.example.com/") : null,
        ])
          if (url !== null && /^(https?|wss?|ftp):$/.test(url.protocol))
            expect(names, text).toContain(url.hostname);
      }),
      { numRuns: 5_000 },
    );
  });

  test("a host that is told is the one that the platform's parser finds", () => {
    const part = fc.constantFrom(
      "a.example",
      "10.0.0.1",
      "[::1]",
      ":",
      "80",
      "@",
      "/",
      "\\",
      "?",
      "#",
      "%2e",
      "..",
      "x",
      " ",
      "0x7f",
      "。",
    );
    const text = fc.tuple(
      fc.constantFrom("https://", "http://", "ws://", "//"),
      fc.array(part, { maxLength: 6 }),
    );
    fc.assert(
      fc.property(text, ([scheme, parts]) => {
        const url = scheme + parts.join("");
        const host = hostIn(url);
        if (host === undefined) return;
        const parsed = new URL(url, "https://base.example/");
        expect(host.name).toBe(parsed.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, ""));
      }),
      { numRuns: 5_000 },
    );
  });
});

test("sizes are of all texts in an argument together, in bytes", () => {
  expect(wrong({ max_bytes: 4 }, { x: ["ab", "cd"] })).toBeUndefined();
  expect(wrong({ max_bytes: 4 }, { x: ["ab", "cü"] })).toBe("max_bytes");
});
