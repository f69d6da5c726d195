// The sink that keeps nothing: counts entries, so that everything before it can be measured alone.
import { z } from "zod";
import type { Component, EntryBatch, Sink, WriteResult } from "../core/stage.ts";

const config = z
  .strictObject({ type: z.literal("null") })
  .describe("Keeps nothing; the floor of every measurement");

class NullSink implements Sink {
  async open(): Promise<void> {}

  async write(batch: EntryBatch): Promise<WriteResult> {
    return { created: batch.count, existing: 0, dead: [], filtered: 0 };
  }

  async close(): Promise<void> {}
}

export default { config, create: () => new NullSink() } satisfies Component<typeof config, Sink>;
