// Schemas that several sources share.
import { z } from "zod";

const level = z.enum(["metadata", "hashed", "redacted", "full"]);

/** What is kept of each class of data. */
export const captureSchema = z
  .strictObject({
    arguments: level.default("redacted").describe("Arguments of tool calls"),
    results: level.default("redacted").describe("Results of tool calls"),
    messages: level.default("redacted").describe("Prompts and answers"),
    identity: z.enum(["full", "pseudonym", "sealed"]).default("full").describe("User names and accounts"),
  })
  .describe("How much is kept of each class of data");
