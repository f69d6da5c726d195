// What keeps a package from being loaded is told as trouble that may pass, with what to do.
import { expect, test } from "vitest";
import { loaded } from "../../src/core/loaded.ts";

test("a package that does not load is trouble with the world", async () => {
  const name = "no-such-package";
  await expect(loaded(name, () => import(/* @vite-ignore */ name))).rejects.toMatchObject({
    code: "NOT_LOADED",
    retry: true,
    message: expect.stringContaining(name) as string,
    remedy: expect.stringContaining("ulimit -n") as string,
  });
  expect(await loaded("node:path", () => import("node:path"))).toHaveProperty("join");
});
