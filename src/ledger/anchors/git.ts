// The anchor that commits each checkpoint to a git repository and pushes it: whoever has fetched has it. Runs the git of
// this machine, in a repository that somebody else set up.
import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import type { Anchor } from "./contract.ts";
import { keepCheckpoint } from "./held.ts";
import { runTool } from "./tool.ts";

const FOLDER = "checkpoints";

const config = z
  .strictObject({
    type: z.literal("git"),
    dir: z
      .string()
      .min(1)
      .describe("Working tree of a repository; checkpoints go to its directory `checkpoints`"),
    push: z.boolean().default(true).describe("Whether to push, to where the branch is set up to push"),
    every_s: z.int().min(1).max(86_400).default(900).describe("Seconds between two checkpoints"),
  })
  .describe("Commits checkpoints to a git repository, one file a size, and pushes them");

function git(dir: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const who = ["-c", "user.name=tapline", "-c", "user.email=tapline@localhost", "-c", "commit.gpgSign=false"];
  return runTool("git", ["-C", dir, ...who, ...args], `git ${args[0]} in ${dir}`, signal);
}

export default {
  config,
  create: ({ dir, push }: z.output<typeof config>): Anchor => ({
    async take(published, signal) {
      await git(dir, ["rev-parse", "--is-inside-work-tree"], signal);
      await mkdir(join(dir, FOLDER), { recursive: true });
      const path = relative(dir, await keepCheckpoint(join(dir, FOLDER), published));
      await git(dir, ["add", "--", path], signal);
      if ((await git(dir, ["status", "--porcelain", "--", path], signal)) !== "")
        await git(dir, ["commit", "--quiet", "-m", `checkpoint at ${published.size}`, "--", path], signal);
      if (!push) return `in the git repository ${dir}, not pushed`;
      await git(dir, ["push", "--quiet"], signal);
      return `pushed from the git repository ${dir}`;
    },
  }),
};
