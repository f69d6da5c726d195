// Where calls go and what their addresses carry: hosts in disguise, data in URLs, beacons in texts, classes of files.
import { describe, expect, test } from "vitest";
import { type Event, newEvent } from "../../src/core/generated/event.ts";
import type { Json } from "../../src/core/text.ts";
import { addressOf } from "../../src/core/address.ts";
import { beaconIn, dataChars, labelChars } from "../../src/normalise/beacon.ts";
import { enrich } from "../../src/normalise/enrich.ts";
import { fileClasses } from "../../src/normalise/paths.ts";
import { recipientIn, writesFiles } from "../../src/normalise/targets.ts";
import { hostOf, registeredDomain } from "../../src/normalise/url.ts";
import { cpuMs } from "../cpu.ts";

function enriched(fields: Partial<Event>): Event {
  const e = Object.assign(newEvent(), { "event.action": "tool-call" }, fields);
  enrich(e, 0);
  return e;
}
const call = (args: Json, more: Partial<Event> = {}): Event =>
  enriched({ "gen_ai.tool.call.arguments": args, ...more });

test.each<[string, string | undefined, string | undefined]>([
  ["169.254.169.254", "169.254.169.254", "plain"],
  ["2852039166", "169.254.169.254", "decimal"],
  ["0xa9fea9fe", "169.254.169.254", "hex"],
  ["0xa9.0xfe.0xa9.0xfe", "169.254.169.254", "hex"],
  ["0251.0376.0251.0376", "169.254.169.254", "octal"],
  ["169.254.43518", "169.254.169.254", "short"],
  ["::ffff:169.254.169.254", "169.254.169.254", "mapped"],
  ["::ffff:a9fe:a9fe", "169.254.169.254", "mapped"],
  ["64:ff9b::a9fe:a9fe", "169.254.169.254", "mapped"],
  ["fd00:ec2::254", "fd00:ec2::254", "plain"],
  ["1.2.3.256", undefined, undefined],
  ["99999999999", undefined, undefined],
  ["08.1.1.1", undefined, undefined],
  ["1e100.net", undefined, undefined],
  ["example.com", undefined, undefined],
])("%s is the address %s", (host, ip, form) => {
  expect(addressOf(host)?.ip).toBe(ip);
  expect(addressOf(host)?.form).toBe(form);
});

test("a call to a disguised address says which it is", () => {
  const e = call({ url: "http://2852039166/latest" });
  expect([e["destination.ip"], e["tapline.url.host_form"], e["destination.registered_domain"]]).toEqual([
    "169.254.169.254",
    "decimal",
    undefined,
  ]);
});

test.each([
  ["a.b.example.com", "example.com"],
  ["a.b.example.co.uk", "example.co.uk"],
  ["example.com", "example.com"],
  ["x.ngrok-free.app", "ngrok-free.app"],
  ["localhost", "localhost"],
])("%s belongs to %s", (host, domain) => expect(registeredDomain(host)).toBe(domain));

describe("data in addresses", () => {
  const data = (url: string): number => dataChars(url, hostOf(url)!);
  test.each<[string, number]>([
    ["https://h.example/a/b", 0],
    ["https://h.example/?q=abc&r=de", 5],
    ["https://h.example/#section", 0],
    ["https://h.example/p/VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVy", 40],
    ["https://h.example/commit/0123456789abcdef0123456789abcdef01234567", 0],
    ["https://h.example/2026/01/how-to-write-a-long-title-about-2-or-3-things", 0],
    ["https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef0123456789abcdef&t=abc", 3],
    ["https://h.example/k?X-Amz-Signature=0123456789abcdef0123456789abcdef", 32],
  ])("%s carries %i", (url, chars) => expect(data(url)).toBe(chars));

  test("labels that look encoded", () => {
    expect(labelChars("4d7920736563726574206973203432.t.example.com")).toBe(30);
    expect(labelChars("www.example.com")).toBe(0);
    expect(labelChars("averyverylongbutplainlabel.example.com")).toBe(0);
  });

  test.each<[string, string | undefined, number | undefined]>([
    ["![a](https://h.example/p.png?d=0123456789)", "image", 10],
    ["![a]( <https://h.example/p.png?d=0123456789>)", "image", 10],
    ["![a][x] and\n[x]: https://h.example/p.png?d=0123456789", "image", 10],
    ['<img width="1" src="https://h.example/p?d=0123456789">', "html", 10],
    ["[a](https://h.example/?d=0123456789)", "link", 10],
    ["[a](https://h.example/?d=0123456789) ![b](https://h.example/?e=01)", "image", 2],
    ["![a](https://h.example/p.png) [b](https://h.example/c)", undefined, undefined],
    ["`a](b)` and ](https://h.example", undefined, undefined],
  ])("beacon of %s", (text, kind, chars) => {
    const found = beaconIn(text, undefined);
    expect([found?.kind, found?.chars]).toEqual([kind, chars]);
  });

  test("is told of model output and of arguments", () => {
    const text = "![a](https://h.example/p.png?d=0123456789) and more text so that it is looked at";
    const expected = ["image", "h.example", 10];
    for (const e of [enriched({ "gen_ai.output.messages": { text } }), call({ body: text })]) {
      expect([e["tapline.beacon.kind"], e["tapline.beacon.domain"], e["tapline.beacon.chars"]]).toEqual(
        expected,
      );
    }
  });

  test("hostile text takes little time", () => {
    const start = cpuMs();
    for (const part of [
      "](",
      "![",
      "]: http",
      "<img ",
      "[a]: https://h/?d=1\n",
      "](https://h.example/?d=1",
    ]) {
      beaconIn(part.repeat(40_000), undefined);
    }
    expect(cpuMs() - start).toBeLessThan(2_000);
  });
});

test.each<[string, string[] | undefined]>([
  ["/home/a/.ssh/id_ed25519", ["ssh_key"]],
  ["/home/a/.ssh/id_ed25519.pub", undefined],
  ["C:\\Users\\a\\.aws\\credentials", ["cloud_login"]],
  ["/home/a/.kube/config", ["cloud_login"]],
  ["~/.config/gcloud/application_default_credentials.json", ["cloud_login"]],
  ["/home/a/.netrc", ["token_store"]],
  ["/home/a/.npmrc", ["token_store"]],
  ["/srv/app/.npmrc", undefined],
  ["/root/.docker/config.json", ["token_store"]],
  ["/home/a/.claude/.credentials.json", ["agent_login"]],
  ["/home/a/.codex/auth.json", ["agent_login"]],
  ["/home/a/.config/google-chrome/Default/Login Data", ["browser_store"]],
  ["/Users/a/Library/Application Support/Google/Chrome/Default/Login Data", ["browser_store"]],
  ["/home/a/.mozilla/firefox/x.default/logins.json", ["browser_store"]],
  ["/home/a/.bitcoin/wallet.dat", ["wallet"]],
  ["/home/a/keys.kdbx", ["password_store"]],
  ["/etc/shadow", ["system_login"]],
  ["/proc/self/environ", ["process_memory"]],
  ["/srv/app/.env", ["environment"]],
  ["/srv/app/.env.production", ["environment"]],
  ["/srv/app/.env.example", undefined],
  ["/home/a/.bash_history", ["shell_history"]],
  ["/srv/app/.mcp.json", ["agent_configuration"]],
  ["/home/a/.cursor/mcp.json", ["agent_configuration"]],
  ["/srv/app/CLAUDE.md", ["agent_instructions"]],
  ["/srv/app/.cursor/rules/a.mdc", ["agent_instructions"]],
  ["/home/a/.claude/projects/-srv-app/1.jsonl", ["agent_record"]],
  ["/home/a/.bashrc", ["startup"]],
  ["/srv/app/.git/hooks/pre-commit", ["startup"]],
  ["/srv/app/.git/hooks/pre-commit.sample", undefined],
  ["/srv/app/src/credentials.ts", undefined],
  ["/srv/app/src/environment.ts", undefined],
  ["/srv/app/docs/agents.md.bak", undefined],
])("%s is %j", (path, classes) => expect(fileClasses(path)).toEqual(classes));

test("files of a call are read or written by what its tool does", () => {
  expect(
    call({ path: "/a/.env" }, { "file.path": "/a/.env", "gen_ai.tool.name": "Read" })["tapline.file.reads"],
  ).toEqual(["environment"]);
  expect(
    call({ path: "/a/.env" }, { "file.path": "/a/.env", "gen_ai.tool.name": "write_file" })[
      "tapline.file.writes"
    ],
  ).toEqual(["environment"]);
  const many = call(
    { paths: ["/a", "/root/.ssh/id_rsa", "/etc/shadow"] },
    { "gen_ai.tool.name": "read_multiple_files" },
  );
  expect(many["tapline.file.reads"]).toEqual(["ssh_key", "system_login"]);
  for (const name of ["Write", "MultiEdit", "edit_file", "createFile", "delete_page"])
    expect(writesFiles(name), name).toBe(true);
  for (const name of ["Read", "list_files", "overwriteless", "get_update_status_rewritten"]) {
    expect(writesFiles(name), name).toBe(name.includes("update"));
  }
});

test("whom a message goes to", () => {
  expect(recipientIn({ recipients: ["Ann@H.example", "b@h.example"] })).toBe("ann@h.example");
  expect(recipientIn({ to: "a@h.example", body: "x" })).toBe("a@h.example");
  expect(recipientIn({ body: "a@h.example" })).toBeUndefined();
  expect(recipientIn({ to: "no mail" })).toBeUndefined();
  expect(call({ to: "a@h.example" })["destination.address"]).toBe("a@h.example");
});

test("names of tools and servers are joined for the inventory", () => {
  const e = enriched({
    "tapline.server.name": "github",
    "tapline.server.version": "1.2",
    "gen_ai.tool.name": "run",
  });
  expect([e["tapline.tool.qualified"], e["tapline.server.release"]]).toEqual(["github/run", "github@1.2"]);
});
