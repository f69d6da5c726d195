// Files that are none: told at once, never waited for.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readRegular } from "../../src/core/regular-file.ts";

const dir = mkdtempSync(join(tmpdir(), "tapline-regular-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("text of a file, of one that says it is empty, and of one at its bound", () => {
  const path = join(dir, "a");
  writeFileSync(path, "é".repeat(100_000));
  expect(readRegular(path, 200_000)).toBe("é".repeat(100_000));
  expect(() => readRegular(path, 199_999)).toThrow("larger than 199999 bytes");
  writeFileSync(path, "");
  expect(readRegular(path, 10)).toBe("");
});

test.runIf(process.platform === "linux")("a file of the system has no size and is read", () => {
  expect(readRegular("/proc/self/status", 1 << 20)).toContain("Pid:");
});

test.runIf(process.platform !== "win32")(
  "a pipe nobody writes to, a device and a directory are refused",
  () => {
    const pipe = join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(() => readRegular(pipe, 10)).toThrow("it is a pipe, not a file");
    expect(() => readRegular("/dev/zero", 10)).toThrow("it is a device, not a file");
    expect(() => readRegular(dir, 10)).toThrow("it is a directory, not a file");
    expect(() => readRegular(join(dir, "none"), 10)).toThrow("ENOENT");
  },
);
