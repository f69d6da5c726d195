import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./test/reporter.ts"],
    globalSetup: "./test/integration/global.ts",
    setupFiles: "./test/seed.ts",
    pool: "forks",
    maxWorkers: 3, // on two cores: half of the time tests wait for servers, clocks and disks
    testTimeout: 120_000, // a start of the collector takes ten seconds and more on a machine that is busy
    hookTimeout: 300_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
