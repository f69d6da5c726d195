// The anchor that writes each checkpoint to a directory: a mount of another machine's, a bucket, a medium. What it promises
// is what that place promises.
import { z } from "zod";
import type { Anchor } from "./contract.ts";
import { keepCheckpoint } from "./held.ts";

const config = z
  .strictObject({
    type: z.literal("directory"),
    dir: z
      .string()
      .min(1)
      .describe("Directory that exists, best one that others than this host's keeper can read"),
    every_s: z.int().min(1).max(86_400).default(300).describe("Seconds between two checkpoints"),
  })
  .describe("Writes checkpoints to a directory, one file a size, and never over another");

export default {
  config,
  create: ({ dir }: z.output<typeof config>): Anchor => ({
    async take(published) {
      await keepCheckpoint(dir, published);
      return `in the directory ${dir}`;
    },
  }),
};
