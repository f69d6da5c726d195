// Bounds of what judges and of what holds calls up: chokepoint, flow, rules, policy, correlations. A part of LIMITS
// (limits.ts), under which they are used.
const KiB = 1024;
const MiB = 1024 * KiB;

export const JUDGING = {
  // Spool, as the chokepoint writes it
  spool_segment_bytes: 8 * MiB, // then the next segment begins
  spool_free_bytes: 64 * MiB, // no segment is begun on a disk with less room: what is recorded must not fill it up
  spool_writer_ms: 5_000, // pause between looks whether the writer of an open stream still runs

  // The chokepoint for MCP
  message_bytes: 16 * MiB - 64 * KiB, // a longer message is not looked at: refused where policy is enforced
  output_ms: 2_000, // the silence after which a server's output ends that others hold open when it has ended
  junk_line_bytes: 8 * KiB, // of a line that is no message that is kept with its notice
  junk_notices: 100, // such lines told of by one connection; the rest are counted
  pending_requests: 4_096, // requests of one connection that wait for their answer
  definitions: 4_096, // tools of one server whose definition is remembered
  held_calls: 64, // calls of one connection that wait for a person; more are refused
  list_ms: 10_000, // for a server to list its tools to the proxy; then calls of pinned tools are refused
  list_pages: 64, // of such a listing
  ask_ms: 50_000, // a person has so long to answer: clients give a call up after 60 s
  approval_ms: 600_000, // ...and so long where the call comes again with the answer
  ask_chars: 500, // of the arguments shown to that person
  answers_bytes: 1 * MiB, // answers that wait to be read back by their sender; then no more is read of it
  peers: 1_024, // sessions of one HTTP listener that are remembered; the one silent longest goes first
  http_connections: 1_024, // connections of one HTTP listener
  http_header_bytes: 32 * KiB, // headers of one request
  http_head_ms: 10_000, // for the headers of a request to arrive
  http_body_ms: 30_000, // for its body
  held_pieces: 256, // pieces of a message not yet whole that are kept as they came; more are joined
  plain_answer_bytes: 256, // of an answer of another type than messages have, in words alone, that passes
  sse_event_bytes: 16 * MiB, // one event of a server: a longer one ends the stream where policy is enforced

  // Hooks of clients
  hook_input_bytes: 8 * MiB, // of what a client tells its hook; more is kept cut, and a call in it is not allowed
  hook_input_ms: 10_000, // longest wait for the rest of it

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

  // Rules
  rule_file_bytes: 1 * MiB,
  rules: 10_000,
  rule_problems: 100, // told of one rule
  rule_values: 10_000, // values of one field of one rule, after expansion
  rule_files: 20_000, // files read below the rule directories
  rule_directory_depth: 16,
  answer_memo: 8_192, // values, of all fields, of which a rule set remembers what they pass
  answer_memo_chars: 512, // longest of them
  own_text_chars: 8_192, // of each value copied into an event of the collector that is too large for an entry
  evidence_chars: 512, // of one matched value kept in an alert
  reason_chars: 200, // of one foreign text quoted in the sentence of an alert
  alert_notes: 100, // alerts of one batch that the console is told of; all are entries
  known_alerts: 4_096, // ids of alerts of other collectors, kept by one worker twice over: theirs are not made again
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
  correlation_rows: 10_000, // matches kept for one key of a correlation, one for each of its rules; the oldest events go first, with all of theirs
  correlation_keys: 100_000, // keys of one rule
  sightings_told: 65_536, // names that a worker remembers to have told
  seen_keys: 262_144, // users, servers, tools, hosts and the like that a collection remembers to have seen
  server_new_ms: 600_000, // after a server was first seen its version, command and tools count as new with it
  correlation_bytes: 32 * MiB, // all rows and keys, estimated
  correlation_text_chars: 256, // of one value kept for a window; longer ones end in a digest
  correlation_evidence: 100, // event ids in one alert
  correlation_from: 10, // event ids kept of each firing of an inner rule
  correlation_behind: 1_000, // events behind one firing of an inner rule that are looked at for their groups
  correlation_spread: 64, // groups that one firing of an inner rule counts in
  correlation_fired: 65_536, // windows that fired and whose key was dropped, remembered
  exchange_clock_ms: 1_000, // pause between two times that other collectors are told how far time has come
  exchange_streams: 4_096, // streams of records of a group whose time is known; the one told longest ago goes
  exchange_stop_ms: 5_000, // for matches to be sent when the collector stops; what is left goes with the next run
  exchange_look_ms: 60_000, // first step back in time when a partition of matches is taken over
  exchange_messages: 4_096, // sent at once
  eviction_report_ms: 60_000, // pause between two reports of evicted state of one rule
  suppress_windows: 65_536, // suppression windows that are open

  // Calls held against decisions at the chokepoint
  chokepoint_grace_ms: 120_000, // by how much event time passes a call before something is said to be missing
  chokepoint_settle_ms: 15_000, // what arrived less than this ago may still be joined by its other side
  chokepoint_calls: 32_768, // calls that wait for their time; nothing is said of those that have to go
  chokepoint_sessions: 16_384, // sessions whose chokepoints are remembered
  chokepoint_kinds: 16_384, // tools, clients and servers that are known to stand before a chokepoint

  // Incidents
  incidents: 4_096, // incidents that more may happen to; closed ones and the oldest go first, which is told
  incident_rules: 64, // rules of the configuration by which alerts group
  incident_deadlines: 32, // deadlines of the configuration, and of one incident
  incident_evidence: 100, // alerts named by one event of an incident
  incident_named: 1_000, // alerts of one incident that some event names; then its events tell doublings
  incident_shown: 32, // alerts, rules, recipients that the present of an incident lists
  incident_wait_ms: 5_000, // wait of a command for the collector to record what was said
  incident_note_chars: 4_096, // of what somebody writes about an incident
} as const;
