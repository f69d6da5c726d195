// Every bound in one place: queues, caches, windows, lines, bodies. Units are in the names. When a bound bites,
// a counter of the same stage says so. Relations between bounds are asserted at the end.
import assert from "node:assert";
import { JUDGING } from "./limits-judging.ts";
import { REPORT } from "./limits-report.ts";
import { VIEWER } from "./limits-viewer.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  ...JUDGING,
  ...VIEWER,
  ...REPORT,
  // Reading
  batch_bytes: 512 * KiB, // one batch of records handed to a worker
  batch_segments: 1_024, // streams that share one batch
  run_buffer_bytes: 2 * MiB, // shared memory that a worker writes the entries of a batch into; longer ones get their own
  buffers_free: 8, // such memory, and that of batches, kept by a thread for the next ones; more goes back to the system
  worker_young_mb: 24, // heap of a worker for what is just made: more takes memory and saves no time
  lanes_in_flight: 3, // batches handed to one worker and not yet appended
  line_bytes: 16 * MiB, // a longer record is kept as a gap and its first `raw_bytes`
  raw_bytes: 8 * KiB, // raw bytes kept of a record that cannot be read
  beyond_chars: 1 * KiB, // looked at behind a cut: a secret that goes on there must not leave its beginning
  files: 20_000, // files followed at once by one source
  files_open: 512, // file descriptors held by one source
  head_bytes: 1 * KiB, // bytes hashed at the head of a file, and before the offset
  poll_ms: 500, // pause between polls of a followed file
  hint_ms: 50, // ...and between looks at files that are said to have grown
  hint_dirs: 256, // directories of which that is said at once
  poll_all_files: 256, // up to so many files are looked at in every poll
  poll_idle_ms: 10_000, // longest pause between polls of a file that rests
  relist_ms: 60_000, // a directory is listed again after this, whatever its time says
  grace_ms: 5_000, // a file that was rotated away or deleted is watched this much longer
  mount_away_ms: 86_400_000, // files whose file system is not mounted any more are waited for so long
  spool_keep_ms: 3_600_000, // a spool segment that was read and deleted is remembered, to miss its successors
  probe_first_bytes: 16 * KiB, // head of a stream read to recognise it
  probe_bytes: 256 * KiB, // the same when the first has no line end
  small_read_bytes: 64 * KiB, // shorter reads are made at once, without a thread
  hole_bytes: 8, // that many NUL at the start of a line are a hole in the file, not text
  scan_bytes: 16 * MiB, // searched for the end of a long line before others have their turn
  probe_records: 16, // records of a head that formats are asked about
  depth: 64, // nesting of a record
  object_depth: 16, // nesting of an indexed object (servers stop at 20)
  object_path_bytes: 4 * KiB, // keys above a value in an indexed object, together
  object_text_bytes: 24 * KiB, // a text in an indexed object: servers refuse a path and text over 32,766
  dense_run_bytes: 32 * MiB, // entries of one batch: beyond that, short records are kept together as they are
  full_run_bytes: 44 * MiB, // ...and the rest of a record that makes ever more events is cut off

  // Receiving OTLP
  otlp_body_bytes: 16 * MiB, // of one request, packed and unpacked; larger ones are refused (413)
  otlp_ratio: 100, // bytes that one packed byte may become...
  otlp_ratio_from_bytes: 1 * MiB, // ...in bodies longer than this
  otlp_values: 1_000_000, // objects and lists of one request
  otlp_records: 65_536, // log records or spans of one request
  otlp_lines_bytes: 32 * MiB, // the records of one request, each with a copy of its resource
  otlp_held_bytes: 64 * MiB, // requests that are not durable yet; more are told to come again (503)
  otlp_connections: 256, // open at once; more are closed
  otlp_header_bytes: 16 * KiB, // of one request's headers
  otlp_header_ms: 10_000, // for a request's headers to arrive...
  otlp_request_ms: 30_000, // ...and for all of it
  otlp_idle_ms: 30_000, // a connection without a request is closed
  otlp_linger_ms: 1_000, // what is left of a refused request is read for so long
  otlp_settle_ms: 8_000, // a request that is not durable by then is told to come again (503)
  otlp_retry_s: 2, // what clients are told to wait
  otlp_repeat_ms: 3_600_000, // a request that is sent again within this time is recognised...
  otlp_repeat_requests: 16_384, // ...if no more than so many came since
  otlp_services: 256, // services whose records name no session, each with a stream of its own
  otlp_gaps: 64, // refused requests that wait to become gap entries; more are counted only

  // Events
  entry_bytes: 65_535, // an entry's length is a uint16 in the tile format
  blob_head_bytes: 4 * KiB, // what stays in the entry of a text moved to a blob
  keyword_chars: 8_191, // ignore_above in the templates
  tools_listed: 1_024, // definitions of one tool listing that become events
  future_ms: 24 * 3_600_000, // a record further ahead of the clock is suspect

  redact_cache: 1_024, // texts whose redaction is remembered by one worker
  redact_cache_chars: 4 * KiB, // longest of them
  subject_keys: 4_096, // keys of sealed persons held by one worker
  tool_classes: 4_096, // tool names whose class is remembered by one worker
  tool_name_chars: 256, // of a tool's name that its class is told from
  encoded_run_chars: 64, // shortest run of base64 or hex that is reported
  entropy_chars: 4_096, // of an encoded run that its entropy is measured on
  shell_chars: 16 * KiB, // of a command line that is cut into commands
  shell_commands: 64, // commands of one command line that are looked at
  shell_depth: 4, // substitutions and scripts inside one another
  error_chars: 1_000, // of the message of an error beside a result
  query_chars: 256, // of a query that is a field of its own beside the arguments
  data_targets: 64, // files and addresses of one request that are listed
  paths: 64, // paths of one argument whose class is looked up
  url_data_chars: 24, // least data in an address that is reported
  text_chars: 64 * KiB, // of a text that is searched for addresses that carry data
  blob_leaves: 8, // texts inside objects that move out one by one; beyond that, objects move as a whole

  // Sessions across streams
  session_index: 16_384, // transcripts whose directory is remembered, to join other streams to them
  session_processes: 4_096, // client processes whose session is remembered
  session_paths: 16, // files of one session that are asked when it was last active
  session_candidates: 1_024, // transcripts of one directory that are looked at for one stream
  session_tail_bytes: 64 * KiB, // end of a transcript in which its last time is looked for
  session_quiet_ms: 1_000, // nothing new of sessions for so long: what is known is taken for all there is
  session_wait_ms: 10_000, // longest hold of a stream for its session
  session_start_ms: 600_000, // a transcript may begin so long after its client started
  session_later: 256, // streams of one source that are read without a session while one may turn up

  // State kept by workers
  sessions: 4_096, // sessions whose state is held by one worker
  open_calls: 4_096, // calls without a result, a session
  seen_calls: 4_096, // call keys remembered, a session
  refused_calls: 64, // refused calls remembered of those with the same tool and arguments
  usage_ids: 4_096, // requests whose usage was counted, a session
  connections: 256, // MCP connections remembered, a session
  record_ids: 16_384, // record ids remembered to tell copied history, a session
  state_text_chars: 1_024, // of one text of a record that session state remembers
  state_key_chars: 256, // longer keys of session state, and longer session ids, are digests
  facts: 64, // facts noted, a session
  drift_names: 512, // unknown record types and fields counted by name, in a batch and in all; the rest as one
  drift_name_chars: 64, // of such a name

  // Ledger
  frame_bytes: 64 * MiB,
  wal_segment_bytes: 64 * MiB,
  snapshot_entries: 100_000,
  checkpoint_ms: 1_000,
  memory_entries_bytes: 8 * MiB, // durable entries kept in memory for sinks that are caught up
  frames_per_sync: 8,
  wal_segment_entries: 262_144, // entries of a write-ahead segment, so that start-up stays short with tiny entries
  wal_read_bytes: 1 * MiB, // read at once from a write-ahead segment
  tile_queue_bytes: 8 * MiB, // full tiles waiting to be written; then commits wait
  tile_writes: 4, // bundles, with their hash tiles, written at once
  tile_syncs: 64, // bundles: a longer backlog is made durable with one call for the file system
  tile_unsynced_entries: 131_072, // entries in tiles that are not durable yet; then commits wait
  note_signatures: 64, // signatures of one checkpoint; more are not read
  checkpoint_bytes: 256 * KiB, // of one, with the signatures of others
  erased_bytes: 16 * MiB, // the list of erasures beside a ledger; more are refused
  erased_wait_ms: 10_000, // of an erasure for another one that lists its own
  proof_bytes: 1 * MiB, // of one tlog-proof
  fetch_ms: 30_000, // for one file of a ledger behind a URL
  serve_connections: 128, // open at once to a ledger that is served; more are closed
  serve_request_ms: 10_000, // for a request to it to arrive
  serve_idle_ms: 30_000, // a connection without a request is closed
  anchor_ms: 60_000, // for one checkpoint to be taken elsewhere
  anchor_answer_bytes: 1 * MiB, // of a witness or a timestamping authority
  signer_ms: 10_000, // for a checkpoint to be signed in another process
  signer_bytes: 64 * KiB, // of a request to it, and of its answer
  anchor_page: 1_000, // checkpoints that are asked for at once where they lie
  held_checkpoints: 200_000, // of one anchor that a verification takes
  witness_tries: 3, // times a witness is asked that knows another size
  prune_files: 64, // files removed at once by retention before others have their turn
  prune_ms: 3_600_000, // pause between looks for entries that retention is to remove
  erasure_blobs: 1_000, // blobs that one entry of an erasure lists; for more there are several
  findings: 100, // findings listed by one verification; the rest are counted

  // Checks of controls
  check_first_ms: 5_000, // after the start, before the first are made
  check_record_ms: 86_400_000, // one that does not change is recorded again after this
  check_heap_mb: 256, // heap of the process that verifies the ledger or reads incidents

  // Sinks
  sink_batch_entries: 4_096,
  sink_batch_bytes: 4 * MiB,
  sink_batches_in_flight: 2,
  bulk_bytes: 5 * MiB,
  bulk_in_flight: 3,
  bulk_items: 2_048,
  resend_entries: 16_384, // how far ahead of the acknowledged a sink announces what it sends
  cursor_save_ms: 500,
  range_entries: 131_072, // one range told to a sink that reads the ledger itself
  range_linger_ms: 1_000, // pause for more entries before a small range
  retry_ms_min: 250,
  retry_ms_max: 30_000,
  dead_letter_bytes: 1024 * MiB, // then the sink stops and says so; nothing is dropped
  dead_letter_reason_chars: 1_000, // of a server's reason kept with a dead letter
  lookup_ids: 2_048, // ids looked up in one search (servers return at most 10,000 hits)
  reconcile_items: 512, // documents compared with one search
  reconcile_displaced: 100_000, // altered documents whose place lies beyond the ledger: more count as extra too
  reconcile_listed: 50, // differences listed of each kind; all are counted
  answer_bytes: 64 * MiB, // a larger answer of a server is not read
  not_found_tries: 5, // times an item may meet a missing index before it is a dead letter

  // Notification
  notify_tries: 5, // times that a receiver is asked at least, before a notification is a dead letter
  notify_give_up_ms: 900_000, // and how long at least
  notify_alerts_per_hour: 100, // alerts told one by one by a sink; the others are counted in the next notification
  notify_text_chars: 400, // of one value in a notification
  notify_answer_bytes: 4_096, // of a receiver's answer that are read
  notify_answer_chars: 500, // and kept
  notices_kept: 8_192, // notifications that a sink remembers, so that none is sent twice

  // Kafka
  kafka_connect_ms: 10_000, // until brokers that do not answer are given up
  kafka_asking_ms: 250, // pause between looks at why it does not connect
  kafka_reconnect_ms: 10_000, // longest pause between attempts to reach a broker
  kafka_close_ms: 5_000, // for a client to say farewell
  kafka_message_ms: 30_000, // a message that is not acknowledged by then has failed, and is sent again
  kafka_poll_ms: 5, // pause between looks at what was acknowledged
  kafka_consume_ms: 100, // for messages to come
  kafka_consume_messages: 256, // taken at once, fewer where they are large
  kafka_message_bytes: 1 * MiB, // what a message is taken to have before any was seen
  kafka_fetch_bytes: 8 * MiB, // that the client holds ahead, and of one answer of a broker
  kafka_held_bytes: 16 * MiB, // of messages that wait to be handed over; more are not fetched
  kafka_commit_ms: 500, // pause between commits
  kafka_handover_ms: 10_000, // for what was handed over of a partition to be durable before it is given up
  kafka_truncated_tries: 5, // times that a partition has to end before what was read, to be taken for another...
  kafka_truncated_ms: 1_000, // ...and the pause between them
  kafka_repeat_ids: 65_536, // ids of events of other collectors, to leave out those that come again
  kafka_schemas: 256, // schemas of a registry that are remembered
  kafka_registry_ms: 10_000, // for a schema registry to answer
  kafka_registry_bytes: 4 * MiB, // of its answer

  // Store and file
  store_memory_mb: 512, // what the store's process may use for DuckDB, unless configured
  store_heap_mb: 256, // heap of JavaScript in the store's process
  store_chunk_entries: 4_096, // entries read from the ledger at once
  store_chunk_bytes: 16 * MiB,
  store_group_rows: 8_192, // rows of a Parquet row group: more of them take more memory
  store_group_rows_min: 2_048, // for long entries; what DuckDB handles at once
  store_group_bytes: 32 * MiB, // entries of a row group, where rows allow
  store_text_buffer_bytes: 4 * MiB, // DuckDB's buffer for the text that it reads
  store_file_rows: 131_072, // rows of a Parquet file as first written
  store_file_bytes: 256 * MiB, // bytes of entries in it
  store_small_rows: 65_536, // smaller files are merged...
  store_small_bytes: 32 * MiB, // ...unless their entries are long
  store_merge_files: 16, // neighbours merged into one, at least...
  store_merge_files_max: 32, // ...and at most
  store_grace_ms: 600_000, // replaced files stay for readers that have them open
  store_wait_ms: 5_000, // pause until the ledger shows what was promised, or another writer is gone
  store_start_ms: 60_000, // start of the store's process
  store_deaths: 3, // deaths of that process within the window that make an error of it
  store_death_window_ms: 60_000,
  store_tail_entries: 32_768, // entries after the manifest that a reader takes from the ledger,
  store_tail_bytes: 64 * MiB, // and their bytes: as rows in memory they are four to five times as much
  store_tail_chunk_bytes: 4 * MiB, // of these at once: what is being made into rows is in memory twice
  store_query_rows: 100_000, // rows of one answer
  file_tail_bytes: 256 * KiB, // read at the end of a file to find the last document

  // The process
  status_ms: 1_000, // pause between writes of status.json
  last_words_ms: 2_000, // for sinks to take the last entries at a stop
  once_trouble_ms: 10_000, // trouble of a sink that a run which ends by itself waits out
  stop_ms: 10_000, // what a sink may take to end its last write at a stop
} as const;

assert(LIMITS.blob_head_bytes < LIMITS.entry_bytes, "the head of a blob fits in an entry");
assert(LIMITS.batch_bytes <= LIMITS.frame_bytes / 8, "the entries of one batch fit in a frame");
assert(LIMITS.line_bytes <= LIMITS.frame_bytes / 2, "the entries of the longest line fit in a frame");
assert(LIMITS.file_tail_bytes > 2 * (LIMITS.entry_bytes + KiB), "a document and a torn one fit in the tail");
assert(LIMITS.object_path_bytes + LIMITS.object_text_bytes < 32_000, "servers refuse longer terms");
assert(
  LIMITS.full_run_bytes + 6 * LIMITS.batch_bytes + 12 * MiB < LIMITS.frame_bytes,
  "a batch whose records make many events fits in a frame, kept raw from there on",
);
assert(LIMITS.otlp_lines_bytes < LIMITS.otlp_held_bytes, "a request that is alone has room");
assert(LIMITS.hook_input_bytes <= LIMITS.line_bytes / 2, "what a hook is told fits in a record");
assert(LIMITS.object_depth < 20, "servers refuse flattened objects nested deeper than 20");
