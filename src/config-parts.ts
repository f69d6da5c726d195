// Parts of the configuration that have no place of their own: how the ledger is signed and pruned, where decisions are
// expected, the viewer.
import { z } from "zod";
import { LIMITS } from "./core/limits.ts";
import { listenAddress } from "./core/own-hosts.ts";

export const ledgerSchema = z
  .strictObject({
    signer: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Socket of `tapline ledger signer`, which holds the key; without it the key is beside the ledger",
      ),
  })
  .prefault({})
  .describe("How the ledger is signed");

export const chokepointSchema = z
  .strictObject({
    hooked: z
      .array(z.string())
      .default([])
      .describe(
        "Agents that have a hook of ours (`service.name`, such as claude-code): a call of theirs without a decision is a bypass, also in a session that never had one",
      ),
    proxied: z
      .array(z.string())
      .default([])
      .describe("MCP servers that stand behind our proxy, by name: the same for calls to them"),
  })
  .prefault({})
  .describe("Where a decision is expected for every call");

export const retentionSchema = z
  .strictObject({
    days: z
      .int()
      .min(1)
      .max(36_500)
      .optional()
      .describe("Days that entries are kept in the ledger and the store; without it they are kept for ever"),
  })
  .prefault({})
  .describe("What is removed from the ledger");

export const healthSchema = z
  .strictObject({
    listen: z
      .string()
      .refine((text) => listenAddress(text) !== undefined, "an address and a port: 127.0.0.1:9464")
      .describe(
        "Address and port of /healthz, /readyz and /metrics (Prometheus), over HTTP; who reaches it reads the figures of `tapline status`",
      ),
  })
  .optional()
  .describe("Whether the collector tells how it is; without it, it does not listen for that");

export const viewerSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether `tapline run` serves the viewer"),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe(
        `Port on 127.0.0.1; 0: any. Without it ${LIMITS.viewer_port}, or any other when that is taken`,
      ),
    memory_mb: z
      .int()
      .min(256)
      .default(LIMITS.viewer_memory_mb)
      .describe("Memory in MiB that DuckDB may use in the viewer's process"),
  })
  .prefault({})
  .describe("The web application that `tapline run` serves on this machine, where there is a store");
