// Every bound in one place: queues, caches, windows, lines, bodies. Units are in the names. When a bound bites,
// a counter of the same stage says so. Relations between bounds are asserted at the end.
import assert from "node:assert";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  // Reading
  batch_bytes: 1 * MiB, // one batch of records handed to a worker
  batch_segments: 1_024, // streams that share one batch
  lanes_in_flight: 3, // batches handed to one worker and not yet appended
  line_bytes: 16 * MiB, // a longer record is kept as a gap and its first `raw_bytes`
  raw_bytes: 8 * KiB, // raw bytes kept of a record that cannot be read
  files: 20_000, // files followed at once by one source
  files_open: 512, // file descriptors held by one source
  head_bytes: 1 * KiB, // bytes hashed at the head of a file, and before the offset
  poll_ms: 500, // pause between polls of a followed file
  depth: 64, // nesting of a record
  object_depth: 16, // nesting of an indexed object (servers stop at 20)

  // Events
  entry_bytes: 65_535, // an entry's length is a uint16 in the tile format
  blob_head_bytes: 4 * KiB, // what stays in the entry of a text moved to a blob
  keyword_chars: 8_191, // ignore_above in the templates
  future_ms: 24 * 3_600_000, // a record further ahead of the clock is suspect

  // State kept by workers
  sessions: 4_096, // sessions whose state is held by one worker
  open_calls: 4_096, // calls without a result, a session
  seen_calls: 16_384, // call keys remembered, a session
  usage_ids: 16_384, // requests whose usage was counted, a session

  // Ledger
  frame_bytes: 64 * MiB,
  wal_segment_bytes: 64 * MiB,
  snapshot_entries: 200_000,
  checkpoint_ms: 1_000,
  memory_entries_bytes: 24 * MiB, // durable entries kept in memory for sinks that are caught up
  frames_per_sync: 8,

  // Sinks
  sink_batch_entries: 4_096,
  sink_batch_bytes: 4 * MiB,
  sink_batches_in_flight: 2,
  bulk_bytes: 5 * MiB,
  bulk_in_flight: 3,
  bulk_items: 2_048,
  retry_ms_min: 250,
  retry_ms_max: 30_000,
  dead_letter_bytes: 1024 * MiB, // then the sink stops and says so; nothing is dropped

  // Rules
  rule_file_bytes: 1 * MiB,
  rules: 10_000,
  alerts_per_batch: 10_000,
  config_bytes: 1 * MiB,
} as const;

assert(LIMITS.blob_head_bytes < LIMITS.entry_bytes, "the head of a blob fits in an entry");
assert(LIMITS.batch_bytes <= LIMITS.frame_bytes / 8, "the entries of one batch fit in a frame");
assert(LIMITS.line_bytes <= LIMITS.frame_bytes / 2, "the entries of the longest line fit in a frame");
assert(LIMITS.object_depth < 20, "servers refuse flattened objects nested deeper than 20");
