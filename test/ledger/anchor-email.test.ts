// The anchor `email` against a mail server that is not ours: what arrives verifies the ledger, byte for byte.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Contradiction } from "../../src/ledger/anchors/contract.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { type Mail, smtp } from "../sinks/smtp.ts";
import { KINDS, anchorOf, attacked, grow, rewritten, take } from "./anchored.ts";
import { newDir } from "./helpers.ts";

const OPTIONS = {
  host: "127.0.0.1",
  security: "none",
  from: "tapline@example.com",
  to: ["auditor@example.org"],
};

/** The attachments of mails, saved as their reader does. */
function saved(mails: readonly Mail[]): string {
  const dir = newDir();
  mkdirSync(dir, { recursive: true });
  for (const { raw } of mails) {
    const [, name, body] = /filename=(\S+\.checkpoint)\r\n(?:\S.*\r\n| .*\r\n)*\r\n([\s\S]*?)\r\n--/.exec(
      raw,
    )!;
    writeFileSync(join(dir, name!), Buffer.from(body!, "base64"));
  }
  return dir;
}

test("mails every checkpoint once, also after a restart, and what arrives verifies the ledger", async () => {
  const { port, mails } = await smtp();
  const [dir, own] = [newDir(), newDir()];
  for (const size of [3, 300]) {
    await grow(dir, size);
    const anchor = anchorOf("email", { ...OPTIONS, port }, dir, own);
    expect(await take(anchor, dir)).toBe("mailed to auditor@example.org");
    expect(await take(anchor, dir)).toBe("mailed to auditor@example.org");
  }
  expect(mails.map(({ from, to }) => [from, to])).toEqual(
    Array.from({ length: 2 }, () => ["tapline@example.com", ["auditor@example.org"]]),
  );
  expect(mails[1]!.raw).toContain("Subject: Checkpoint of the ledger test.example/ledger at 300 entries");
  const kept = saved(mails);
  expect(await verifyLedger(dir, { checkpoints: [kept] })).toMatchObject({ findings: [], notes: [] });
  const bad = await rewritten(dir, 900);
  const { findings } = await verifyLedger(bad, { checkpoints: [kept] });
  expect(findings[0]!.message).toMatch(/^history was rewritten/);
});

test.each(KINDS)(
  "a ledger that was %s is told by the mails, and by what is kept of them here",
  async (kind) => {
    const { port, mails } = await smtp();
    const own = newDir();
    const bad = await attacked(kind, (dir) => take(anchorOf("email", { ...OPTIONS, port }, dir, own), dir));
    await expect(take(anchorOf("email", { ...OPTIONS, port }, bad, own), bad)).rejects.toThrow(Contradiction);
    expect(mails).toHaveLength(2);
    // Whoever puts back the state directory puts back what is kept here, too: the mails are still there.
    const { findings } = await verifyLedger(bad, { checkpoints: [saved(mails)] });
    expect(findings[0]!.message).toMatch(kind === "cut off" ? /^truncated/ : /^history was rewritten/);
  },
);

test("a mail that is not taken is trouble, without secrets, and goes with the next", async () => {
  const refusing = { closed: true };
  const { port, mails } = await smtp({
    onRcptTo: (_, __, done) => done(refusing.closed ? new Error("mailbox is full") : null),
  });
  const dir = newDir();
  await grow(dir, 3);
  const anchor = anchorOf("email", { ...OPTIONS, port }, dir);
  await expect(take(anchor, dir)).rejects.toMatchObject({ code: "ANCHOR_FAILED", retry: true });
  expect(mails).toEqual([]);
  refusing.closed = false;
  await take(anchor, dir);
  expect(mails).toHaveLength(1);
  await expect(take(anchorOf("email", { ...OPTIONS, port: 1 }, dir), dir)).rejects.toMatchObject({
    code: "ANCHOR_FAILED",
    message: /^127\.0\.0\.1: /,
  });
});
