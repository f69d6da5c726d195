// Bounds of the viewer. A part of LIMITS (limits.ts), under which they are used.
const KiB = 1024;

export const VIEWER = {
  // The process
  viewer_port: 7425, // unless configured; when it is taken, any other
  viewer_memory_mb: 768, // what DuckDB may use in the viewer's process, unless configured
  viewer_heap_mb: 640, // heap of JavaScript in it
  viewer_other_mb: 512, // in it besides heap and DuckDB: code, buffers, what was freed and not given back yet
  viewer_memory_ms: 1_000, // pause between looks at how much it has in all
  viewer_threads: 4, // most threads of DuckDB, of the cores there are
  viewer_start_ms: 30_000, // for that process to start
  viewer_deaths: 5, // deaths of it within the window; then it is not started again
  viewer_death_window_ms: 300_000,

  // Requests
  viewer_connections: 128, // open at once; more are closed
  viewer_requests: 64, // at once; more are told to come again (429)
  viewer_live: 16, // of these, pages that are told what is new
  viewer_header_bytes: 16 * KiB, // of one request's headers
  viewer_header_ms: 5_000, // for a request's headers to arrive...
  viewer_request_ms: 10_000, // ...and for all of it
  viewer_idle_ms: 30_000, // a connection without a request is closed
  viewer_stall_ms: 30_000, // an answer that nobody reads is given up
  viewer_url_chars: 8 * KiB, // of a path with its parameters
  viewer_body_bytes: 64 * KiB, // of one POST
  viewer_query_chars: 4 * KiB, // of a search
  viewer_terms: 64, // of a search
  viewer_values: 256, // of a search, in all its terms

  // Questions
  viewer_queries: 3, // statements at once; more wait
  viewer_query_ms: 120_000, // one request's statements, then it is given up
  viewer_tell_ms: 250, // totals are told this often while they grow
  viewer_refresh_ms: 250, // the store's list of files is looked at again after this
  viewer_keep_ms: 180_000, // entries that came to files stay in the tail's table for statements that began before
  viewer_rows: 500, // rows of one page
  viewer_rows_default: 50,
  viewer_text_chars: 1_000, // of a text in a list
  viewer_content_chars: 2_000, // of what was said or done, in a time line
  viewer_list_values: 32, // of a field with several values, in a list
  viewer_related: 50, // events related to one
  viewer_offers: 50, // values of a field that are offered beside a filter's box
  viewer_buckets: 400, // of a chart over time
  viewer_series: 20, // of a chart over time
  viewer_part_rows: 131_072, // rows that are worked on at once
  viewer_rollup_rows: 262_144, // summary rows that are worked on at once
  viewer_times: 1_024, // spans of times of parts that are remembered, beside those of files
  viewer_warm_ms: 5_000, // pause between looks for files that nobody asked yet
  viewer_nothing: 50_000, // questions that a file has no answer to
  viewer_groups: 20_000, // groups of one file's events that are kept; beyond that figures are of the largest ones
  viewer_cache_cells: 6_000_000, // figures of files that are remembered, all together
  viewer_stale_ms: 10_000, // a collector that said nothing for so long does not run
  viewer_sessions: 500, // sessions of one list
  viewer_alerts: 200_000, // alerts that the queue looks at; older ones are found by search
  viewer_triage: 200_000, // of what people said of alerts

  // Live
  viewer_live_ms: 1_000, // pause between looks for what is new
  viewer_live_bytes: 1024 * KiB, // that wait for a page that does not read
  viewer_live_alerts: 50, // new alerts told at once

  // What people do
  viewer_action_alerts: 100, // alerts of one action
  viewer_note_chars: 4_000,
  viewer_export_rows: 200_000, // rows of one CSV
  viewer_export_fields: 64,
  viewer_evidence: 500, // entries of one pack of evidence
} as const;
