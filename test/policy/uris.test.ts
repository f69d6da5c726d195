// Resources by URI: what a line lets pass is below its place however the URI is read, and a line that denies is not gone
// around by another way to write it. The oracles are the readers of URLs that servers use.
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readingsOf } from "../../src/policy/uris.ts";
import { cpuMs } from "../cpu.ts";
import { call, decider, said, stdio } from "./make.ts";

const server = stdio("s", "srv");
const of = (resources: object, fallback: string) => {
  const policy = decider(
    JSON.stringify({
      version: 1,
      mode: "enforce",
      servers: { s: { command: ["srv"], default: fallback, resources } },
    }),
  );
  return (uri: string) =>
    said(policy, call(server, uri, { method: "resources/read", arguments: { uri } }))[0];
};

const allowed = of({ "file:///home/ada/work/*": "allow", "repo://public/*": "allow" }, "deny");
const denied = of({ "file:///etc/*": "deny", "repo://secret/*": "deny" }, "allow");

test.each([
  "file:///home/ada/work/a",
  "file:///home/ada/work/a%20b/c%2Fd?x=1#y",
  "file:///home/ada/work/a/../b",
  "repo://public/Group%2Fproject/..name",
])("inside: %s", (uri) => expect(allowed(uri)).toBe("allow"));

test.each([
  "file:///home/ada/work/../../../etc/passwd",
  "file:///home/ada/work/%2e%2e/%2E%2E/etc/passwd",
  "file:///home/ada/work/.%2e/x",
  "file:///home/ada/work/%252e%252e/x",
  "file:///home/ada/work/..%2f..%2fx",
  "file:///home/ada/work/..%5c..%5cx",
  String.raw`file:///home/ada/work/..\..\x`,
  "file:///home/ada/work/.\t./x",
  "file:///home/ada/work/..",
  "file:///home/ada/work/x?/../../../../etc/passwd",
  "repo://public/../secret/x",
  "repo://public/%2e%2e/secret/x",
])("outside, whoever reads it: %s", (uri) => expect(allowed(uri)).toBe("deny"));

test.each([
  "file:///etc/passwd",
  "file:///home/../etc/passwd",
  "file:///%65tc/passwd",
  "file:///etc%2fpasswd",
  "file:////etc//passwd",
  "file:/etc/passwd",
  "FILE:///etc/passwd",
  "file://localhost/etc/passwd",
  " file:///etc/passwd",
  "file:///et\nc/passwd",
  "repo://public/../secret/x",
  "repo://secret%2fx",
])("kept out, however it is written: %s", (uri) => expect(denied(uri)).toBe("deny"));

test("each reading asks: a line that wants a person is not gone around either", () => {
  const asks = of({ "file:///etc/*": "ask" }, "allow");
  expect(asks("file:///home/../etc/passwd")).toBe("ask");
  expect(asks("file:///home/x")).toBe("allow");
});

test("what passes is below the place, for those who read it as a URL and those who take it apart", () => {
  const part = fc.constantFrom(..."a .. . %2e%2e .%2e ..%2f %5c .. \\ ? # %252e%252e b".split(" "), "\t");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const uri = `file:///home/ada/work/${parts.join("/")}`;
      if (allowed(uri) !== "allow") return;
      const paths = [
        posix.resolve("/", uri.slice("file://".length)),
        posix.resolve(decodeURIComponent(uri.slice(7))),
      ];
      try {
        paths.push(fileURLToPath(uri));
      } catch {
        // encoded slashes are none for this reader
      }
      for (const path of paths) expect(`${path}/`, uri).toMatch(/^\/home\/ada\/work\//);
    }),
    { numRuns: 5_000 },
  );
});

test("a long one takes no time", () => {
  const start = cpuMs();
  for (const text of ["/..", "%25", "%", " ", "\n", "/", "a:"]) readingsOf(`file:///${text.repeat(500_000)}`);
  expect(cpuMs() - start).toBeLessThan(5_000);
});
