// The options of the source `kafka`. Checks them and nothing else.
import { z } from "zod";
import { checkConnection, connectionShape, topicName } from "../kafka/options.ts";
import { captureSchema } from "./options.ts";

export const EVENTS = "tapline-event";

export const config = z
  .strictObject({
    type: z.literal("kafka"),
    ...connectionShape,
    topics: z.array(topicName).min(1).max(256).default(["tapline-events"]).describe("Topics to read"),
    group: z
      .string()
      .min(1)
      .max(255)
      .default("tapline")
      .describe("Consumer group: its members share the partitions; another name reads everything again"),
    cluster: z
      .string()
      .regex(/^[\w.-]{1,100}$/, "a name: letters, digits, . _ and -, at most 100")
      .default("kafka")
      .describe(
        "Name of the cluster in ids of events: the same for every member, another one for another cluster",
      ),
    format: z
      .string()
      .default(EVENTS)
      .describe(
        "Format of the records, one a message; `tapline-event`: what other collectors wrote with their sink `kafka`, in any encoding",
      ),
    options: z.record(z.string(), z.unknown()).optional().describe("Mapping of the `json` format"),
    schemas: z
      .array(z.string().min(1))
      .default([])
      .describe("Files of Avro schemas (event.avsc) of other versions of Tapline that write to the topics"),
    start: z
      .enum(["earliest", "latest"])
      .default("earliest")
      .describe("Where to start in a partition that the group has not read"),
    session_s: z
      .int()
      .min(1)
      .max(600)
      .default(30)
      .describe("Seconds without a sign of life until the partitions of a member go to others"),
    matches: topicName
      .optional()
      .describe(
        "Topic by which the members of the group tell each other what rules matched, so that correlations count across them",
      ),
    capture: captureSchema.prefault({}),
  })
  .superRefine(checkConnection)
  .superRefine(({ topics, matches }, context) => {
    if (matches !== undefined && topics.includes(matches))
      context.addIssue("matches is a topic of its own, none of topics");
  })
  .describe("Topics of Kafka, as a member of a consumer group");
