// Packages that runners are asked for, and ranges of versions, held against the readers of npm and of Python's packages.
import { describe, expect, test } from "vitest";
import { packageOf } from "../../src/policy/identity.ts";
import { inRange, rangeProblem } from "../../src/policy/version.ts";

const of = (line: string) => {
  const found = packageOf(line.split(" "));
  return found === undefined ? undefined : `${found.name}|${found.version ?? ""}`;
};

test.each([
  ["npx -y @scope/server@1.2.3 --root /srv", "@scope/server|1.2.3"],
  ["npx server", "server|"],
  ["/usr/local/bin/npx --yes server@latest", "server|latest"],
  ["bunx server@1.0.0", "server|1.0.0"],
  ["pnpm dlx server@1.0.0", "server|1.0.0"],
  ["uvx mcp-server-git==2025.10.10", "mcp-server-git|2025.10.10"],
  ["uvx mcp-server-git@2025.10.10 -v", "mcp-server-git|2025.10.10"],
  ["uv tool run mcp-server-git", "mcp-server-git|"],
  ["pipx run x[extra]==1.0", "x|1.0"],
  ["docker run -i --rm -e TOKEN ghcr.io/org/server:1.4", "ghcr.io/org/server|1.4"],
  ["docker run -i --rm localhost:5000/server:1.4 --flag", "localhost:5000/server|1.4"],
  [`docker run -i ghcr.io/org/server:1.4@sha256:${"ab".repeat(32)}`, "ghcr.io/org/server|"],
])("%s is %s", (line, expected) => expect(of(line)).toBe(expected));

test.each([
  "npx -p evil server",
  "npx --package=evil server",
  "npx --registry=https://evil.example server",
  "npx -c server",
  "npx ./server",
  "npx user/server",
  "npx github:user/server",
  "npx server@npm:evil@1.0.0",
  "npx server@https://evil.example/x.tgz",
  "npx server@file:../evil",
  "uvx --from evil server",
  "uvx --with evil server",
  "pipx run --spec evil server",
  "docker run -v /:/host server",
  "docker run --privileged server",
  "docker run --entrypoint sh server",
  "docker exec server",
  "./npx server",
  "/home/ada/bin/npx server",
  "node server",
  "npm exec server",
])("%s is no package for certain", (line) => expect(of(line)).toBeUndefined());

// Expected values from node-semver 7 (npm) and PEP 440 where the form is Python's.
describe("ranges", () => {
  test.each([
    ["1.2.3", "1.2.3", true],
    ["1.2.3", "v1.2.3", true],
    ["1.2.4", "1.2.3", false],
    ["1.2.3", ">=1.2 <2", true],
    ["2.0.0", ">=1.2 <2", false],
    ["2.0.0-rc.1", ">=1.2 <3", false],
    ["2.0.0-rc.1", ">=2.0.0-rc.0 <3", true],
    ["1.9.9", "^1.2.3", true],
    ["2.0.0", "^1.2.3", false],
    ["0.2.9", "^0.2.3", true],
    ["0.3.0", "^0.2.3", false],
    ["0.0.4", "^0.0.3", false],
    ["1.2.9", "~1.2.3", true],
    ["1.3.0", "~1.2.3", false],
    ["1.3.0", "~1", true],
    ["1.2.7", "1.2.x", true],
    ["1.3.0", "1.2.*", false],
    ["3.1.0", "1.x || 3.x", true],
    ["2.1.0", "1.x || 3.x", false],
    ["2025.4.8", ">=2025.4 <2026", true],
    ["1.4.5", "~=1.4.2", true],
    ["1.5.0", "~=1.4.2", false],
    ["1.4.5", ">=1.4,<1.5", true],
    ["latest", "*", false],
    ["", ">=0", false],
    ["1.2.3+build.5", "1.2.3", true],
    ["1.2.3 evil", ">=1", false],
  ])("%s in %s: %s", (version, range, expected) => expect(inRange(version, range)).toBe(expected));

  test("what is no range is told", () => {
    expect(rangeProblem(">=1.2 <2 || 3.x")).toBeUndefined();
    expect(rangeProblem("")).toMatch(/empty/);
    expect(rangeProblem("latest")).toMatch(/no version/);
    expect(rangeProblem("1.2 ||")).toMatch(/empty/);
  });
});
