// Bounds of reports and evidence packs. A part of LIMITS (limits.ts), under which they are used.
const KiB = 1024;
const MiB = 1024 * KiB;

export const REPORT = {
  // Reports
  report_sample: 25, // events drawn for each control
  report_listed: 20, // classes, agents, servers, rules of one list, the largest
  report_rows: 10_000, // rows of one answer of the store
  report_triage: 200_000, // of what people said of alerts, the newest
  report_exceptions: 100, // alerts, and incidents, that are listed one by one; the others are counted
  report_checkpoints: 400, // checkpoints kept elsewhere that go into a pack, the newest
  report_text_chars: 240, // of one recorded text on a page
  report_note_chars: 4_000, // of one text of the organisation's files
  report_harms: 1_000, // of one impact assessment, and rules and controls of one harm
  report_file_bytes: 2 * MiB, // of a statement of applicability or an impact assessment, in any form
  report_problems: 200, // told of one such file
  report_silence_s: 600, // the collector has to have been still for so long before it is told
  pack_manifest_bytes: 16 * MiB, // of the manifest of a pack that is served
  pack_file_bytes: 256 * MiB, // of one file of a pack that is served
} as const;
