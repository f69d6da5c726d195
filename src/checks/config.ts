// The configuration's part on checks: what is stated, so that it can be held against what is. Checked by zod.
import { z } from "zod";
import { CHECKS } from "./contract.ts";

export const checksSchema = z
  .strictObject({
    every_s: z.int().min(1).max(86_400).default(300).describe("Seconds between two runs of the checks"),
    without: z
      .array(z.enum(CHECKS))
      .default([])
      .describe("Checks that are not made, such as `policy` where nothing is to be enforced"),
    retention_days: z
      .int()
      .min(1)
      .max(36_500)
      .default(400)
      .describe("Days that every server has to keep documents: `tapline setup --retention-days`"),
    silent_h: z
      .int()
      .min(1)
      .max(8_760)
      .default(24)
      .describe("Hours without a record after which a source counts as silent"),
    witness_h: z
      .int()
      .min(1)
      .max(8_760)
      .default(24)
      .describe("Hours after which the last cosignature of a witness is too old"),
    full_h: z
      .int()
      .min(1)
      .max(8_760)
      .default(168)
      .describe("Hours after which the whole ledger is verified again, and not what is new alone"),
  })
  .prefault({})
  .describe("Checks that a running collector makes and records as `control-status` events");
