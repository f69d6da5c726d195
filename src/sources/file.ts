// Source `file`: follows text files of one record a line, through rotation, truncation, deletion and restarts.
import { z } from "zod";
import type { Component, Source } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { captureSchema } from "./options.ts";
import { FollowSource } from "./source.ts";

const config = z
  .strictObject({
    type: z.literal("file"),
    include: z
      .array(z.string().min(1))
      .min(1)
      .describe(
        "Patterns of files to read: *, ?, [a-z], {a,b}, ** for any directories, ~ for the home directory",
      ),
    exclude: z.array(z.string().min(1)).default([]).describe("Patterns of files to leave out"),
    roots: z
      .array(z.string().min(1))
      .default([])
      .describe("Directories, beside those of the patterns, that symbolic links may lead to"),
    format: z
      .string()
      .optional()
      .describe("Format of the records; recognised from their content when not given"),
    session: z
      .string()
      .optional()
      .describe("Agent session of all records, when neither path nor content tells"),
    options: z.record(z.string(), z.unknown()).optional().describe("Mapping of the `json` format"),
    capture: captureSchema.prefault({}),
    start: z
      .enum(["beginning", "end"])
      .default("beginning")
      .describe("Where to start, on the first run, in files that exist already"),
    follow: z
      .boolean()
      .default(true)
      .describe("Keep reading as files grow; false reads what is there and ends"),
    poll_ms: z.int().min(10).max(60_000).default(LIMITS.poll_ms).describe("Pause between looks at the files"),
    grace_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(LIMITS.grace_ms)
      .describe("How long a file that was rotated away or deleted is watched for late writes"),
  })
  .describe("Files of one record a line");

const component: Component<typeof config, Source> = {
  config,
  create(options, context) {
    const { format, session, capture } = options;
    const common = { source: context.name, format, session, options: options.options, capture };
    return new FollowSource(options, common, context);
  },
};
export default component;
