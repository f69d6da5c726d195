// The registry of sources: `type` in the configuration → component.
import file from "./file.ts";
import kafka from "./kafka.ts";
import otlp from "./otlp.ts";
import spool from "./spool.ts";

export const SOURCES = { file, kafka, otlp, spool };
