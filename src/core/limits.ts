// Every bound in one place: queues, caches, windows, lines, bodies. Units are in the names. When a bound bites,
// a counter of the same stage says so. Relations between bounds are asserted at the end.
import assert from "node:assert";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  // Reading
  batch_bytes: 512 * KiB, // one batch of records handed to a worker
  batch_segments: 1_024, // streams that share one batch
  run_buffer_bytes: 2 * MiB, // shared memory that a worker writes the entries of a batch into; longer ones get their own
  worker_young_mb: 24, // heap of a worker for what is just made: more takes memory and saves no time
  lanes_in_flight: 3, // batches handed to one worker and not yet appended
  line_bytes: 16 * MiB, // a longer record is kept as a gap and its first `raw_bytes`
  raw_bytes: 8 * KiB, // raw bytes kept of a record that cannot be read
  files: 20_000, // files followed at once by one source
  files_open: 512, // file descriptors held by one source
  head_bytes: 1 * KiB, // bytes hashed at the head of a file, and before the offset
  poll_ms: 500, // pause between polls of a followed file
  poll_all_files: 256, // up to so many files are looked at in every poll
  poll_idle_ms: 10_000, // longest pause between polls of a file that rests
  relist_ms: 60_000, // a directory is listed again after this, whatever its time says
  grace_ms: 5_000, // a file that was rotated away or deleted is watched this much longer
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

  // Spool, as the chokepoint writes it
  spool_segment_bytes: 8 * MiB, // then the next segment begins
  spool_free_bytes: 64 * MiB, // no segment is begun on a disk with less room: what is recorded must not fill it up
  spool_writer_ms: 5_000, // pause between looks whether the writer of an open stream still runs

  // The chokepoint for MCP
  message_bytes: 16 * MiB - 64 * KiB, // a longer message is not looked at: refused where policy is enforced
  junk_line_bytes: 8 * KiB, // of a line that is no message that is kept with its notice
  junk_notices: 100, // such lines told of by one connection; the rest are counted
  pending_requests: 4_096, // requests of one connection that wait for their answer
  definitions: 4_096, // tools of one server whose definition is remembered
  held_calls: 64, // calls of one connection that wait for a person; more are refused
  ask_ms: 50_000, // a person has so long to answer: clients give a call up after 60 s
  approval_ms: 600_000, // ...and so long where the call comes again with the answer
  ask_chars: 500, // of the arguments shown to that person
  answers_bytes: 1 * MiB, // answers that wait to be read back by their sender; then no more is read of it
  peers: 1_024, // sessions of one HTTP listener that are remembered; the one silent longest goes first
  http_connections: 1_024, // connections of one HTTP listener
  http_header_bytes: 32 * KiB, // headers of one request
  http_head_ms: 10_000, // for the headers of a request to arrive
  http_body_ms: 30_000, // for its body
  sse_event_bytes: 16 * MiB, // one event of a server: a longer one ends the stream
  // Hooks of clients
  hook_input_bytes: 8 * MiB, // of what a client tells its hook; more is kept cut, and a call in it is not allowed
  hook_input_ms: 10_000, // longest wait for the rest of it

  // State kept by workers
  sessions: 4_096, // sessions whose state is held by one worker
  open_calls: 4_096, // calls without a result, a session
  seen_calls: 4_096, // call keys remembered, a session
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
  findings: 100, // findings listed by one verification; the rest are counted

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
  answer_bytes: 64 * MiB, // a larger answer of a server is not read
  not_found_tries: 5, // times an item may meet a missing index before it is a dead letter

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
  store_tail_entries: 131_072, // entries after the manifest that a reader takes from the ledger
  store_query_rows: 100_000, // rows of one answer
  file_tail_bytes: 256 * KiB, // read at the end of a file to find the last document

  // Flow and provenance, a session
  flow_unread_chars: 256 * KiB, // of a session's results that wait until a call goes out
  flow_unread_chars_all: 64 * MiB, // the same for all sessions of a worker
  flow_text_chars: 64 * KiB, // of one text that is looked at for instructions and content
  flow_words: 8_192, // words of one result or call that are looked at
  flow_addresses: 512, // addresses of one result or call that are looked at
  flow_sessions: 1_024, // sessions that one worker follows content through
  flow_state_bytes: 32 * MiB, // of one worker's sessions in a snapshot; the newest stay
  flow_known: 6_144, // words and pairs of words that a session has seen, at least
  flow_told: 1_536, // words of instructions in results, at least
  flow_said: 1_536, // fingerprints of what the user said, at least
  flow_sources: 64, // results that content is traced back to
  flow_grams: 192, // fingerprints of one result
  flow_fingerprints: 3_072, // fingerprints of a session, at least
  flow_tails: 32, // arguments of tools whose last value is remembered, to see content sent in pieces

  // The process
  status_ms: 1_000, // pause between writes of status.json
  last_words_ms: 2_000, // for sinks to take the last entries at a stop
  once_trouble_ms: 10_000, // trouble of a sink that a run which ends by itself waits out
  stop_ms: 10_000, // what a sink may take to end its last write at a stop

  // Rules
  rule_file_bytes: 1 * MiB,
  rules: 10_000,
  rule_problems: 100, // told of one rule
  rule_values: 10_000, // values of one field of one rule, after expansion
  rule_files: 20_000, // files read below the rule directories
  rule_directory_depth: 16,
  own_text_chars: 8_192, // of each value copied into an event of the collector that is too large for an entry
  evidence_chars: 512, // of one matched value kept in an alert
  reason_chars: 200, // of one foreign text quoted in the sentence of an alert
  alert_notes: 100, // alerts of one batch that the console is told of; all are entries
  rule_recording_bytes: 64 * MiB, // one file of recorded events that a rule is tested with
  rules_look_ms: 500, // how often rule files are looked at while a collector runs
  config_bytes: 1 * MiB,
  config_problems: 100, // told of one configuration

  // Policy
  policy_servers: 1_024, // servers of one policy
  policy_list: 1_024, // of one list in a policy
  policy_pattern_chars: 1_024, // of one name, path or host in a policy
  policy_rate_calls: 1_000, // calls that a rate may allow in its span
  policy_look_ms: 250, // how often a process that stays looks at its policy
  policy_events: 1_000, // changes of one policy that are events of their own; the rest are counted in one
  policy_turn_ms: 10_000, // longest wait for other processes that change what policy remembers
  policy_pins: 20_000, // definitions pinned; a server's tools beyond count as changed
  policy_pins_server: 1_024, // the same for one server
  policy_accepted: 8, // definitions of one tool that are accepted at once; the oldest goes
  policy_journal: 1_000, // changes of pins kept until the collector has read them
  policy_rates: 4_096, // rates that are counted at once; the one used longest ago goes
  policy_state_bytes: 16 * MiB, // of a file of that state; a larger one is not read
  client_file_bytes: 64 * MiB, // of one configuration file of a client; a larger one is not read
  client_comment_chars: 256 * KiB, // of such a file that may have comments in its JSON
  client_projects: 256, // projects of one client whose own files are looked at
  drift: 10_000, // differences told by one look at the inventory
  policy_texts: 4_096, // texts of one call's arguments that are held against the policy; more are refused

  // Correlations
  correlation_tick_ms: 1_000, // windows are looked at this often when nothing comes
  correlation_lateness_ms: 30_000, // how late an event may come and still count, by the time of its source
  correlation_idle_ms: 10_000, // a stream silent for so long does not hold the watermark
  correlation_hold_ms: 900_000, // how far behind the clock a stream that goes on may hold the watermark
  correlation_streams: 16_384, // streams whose time is remembered; the one silent longest goes first
  correlation_span_ms: 31 * 24 * 3_600_000, // longest timespan
  correlation_refs: 64, // rules that one correlation refers to
  correlation_clauses: 64, // alternatives of one boolean condition, written out
  correlation_depth: 8, // correlations over correlations
  correlation_fields: 16, // fields that one correlation groups by
  correlation_rows: 10_000, // events kept for one key of one rule; the oldest go first
  correlation_keys: 100_000, // keys of one rule
  sightings_told: 65_536, // names that a worker remembers to have told
  seen_keys: 262_144, // users, servers, tools, hosts and the like that a collection remembers to have seen
  correlation_bytes: 32 * MiB, // all rows and keys, estimated
  correlation_text_chars: 256, // of one value kept for a window; longer ones end in a digest
  correlation_evidence: 100, // event ids in one alert
  correlation_from: 10, // event ids kept of each firing of an inner rule
  correlation_behind: 1_000, // events behind one firing of an inner rule that are looked at for their groups
  correlation_spread: 64, // groups that one firing of an inner rule counts in
  correlation_fired: 65_536, // windows that fired and whose key was dropped, remembered
  eviction_report_ms: 60_000, // pause between two reports of evicted state of one rule
  suppress_windows: 65_536, // suppression windows that are open

  // Calls held against decisions at the chokepoint
  chokepoint_grace_ms: 120_000, // by how much event time passes a call before something is said to be missing
  chokepoint_settle_ms: 15_000, // what arrived less than this ago may still be joined by its other side
  chokepoint_calls: 32_768, // calls that wait for their time; nothing is said of those that have to go
  chokepoint_sessions: 16_384, // sessions whose chokepoints are remembered
  chokepoint_kinds: 16_384, // tools, clients and servers that are known to stand before a chokepoint
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
