// Group B: what happens to the files that are read.
import type { Row } from "./row.ts";

const FILE = "sources/file.test.ts";
const HISTORIES = ["sources/follow.property.test.ts", "every line exactly once, or a gap"] as const;

export const FILES: readonly Row[] = [
  {
    row: 17,
    fault: "Rotation by rename, once and ten times between looks",
    oracles: ["O1", "O2", "O3"],
    tests: [
      [
        FILE,
        "by renaming, once and ten times between looks (%s)",
        "while the collector was down, with unread lines left behind",
      ],
      HISTORIES,
    ],
  },
  {
    row: 18,
    fault: "Copytruncate, with and without lag",
    oracles: ["O1", "O2", "O5"],
    tests: [
      [
        FILE,
        "copytruncate: the copy holds what was not read, nothing is read twice",
        "copytruncate with lag and the copy gone: a gap with the bytes",
      ],
      HISTORIES,
    ],
    unrecoverable: "Bytes that were truncated unread and are in no copy: a gap entry names file and bytes.",
  },
  {
    row: 19,
    fault: "Truncated, then rewritten longer than before",
    oracles: ["O1", "O2"],
    tests: [
      [
        FILE,
        "truncated and rewritten longer than before (collector running: %s)",
        "rewritten with the same size",
      ],
      HISTORIES,
    ],
    unrecoverable: "What was cut off unread: a gap entry names file and bytes.",
  },
  {
    row: 20,
    fault: "Deleted while open; deleted and made anew, at the same inode",
    oracles: ["O1", "O2"],
    tests: [
      [
        FILE,
        "deleted while it is open: read to the end, no gap; then a new file of the same name",
        "deleted and recreated while the collector was down, at the same inode if the system likes",
      ],
      ["sources/spool.test.ts", "a segment that somebody else deletes unread is a gap"],
      HISTORIES,
    ],
    unrecoverable:
      "A file that was deleted before it was read: a gap entry, with the bytes where they are known.",
  },
  {
    row: 21,
    fault: "Two files with the same first KiB",
    oracles: ["O1", "O2"],
    tests: [[FILE, "two files with the same first KiB are two streams"]],
  },
  {
    row: 22,
    fault: "Links: swapped, in a loop, out of the allowed roots",
    oracles: ["O1", "O2", "O8"],
    tests: [
      [
        FILE,
        "a symbolic link that is swapped: the old file to its end, then the new one",
        "a link out of the roots is refused, unless its target is named as a root; so is a swap later on",
        "a loop of links, a pipe, a socket, a device, a directory: refused once each, nothing hangs",
      ],
    ],
  },
  {
    row: 23,
    fault: "One file by hard links and by two patterns",
    oracles: ["O2"],
    tests: [[FILE, "hard links, symbolic links and two patterns lead to one stream"]],
  },
  {
    row: 24,
    fault: "Last line in part, completed later",
    oracles: ["O1", "O2"],
    tests: [
      ["contract/source.ts", "follows what is added later; a line that is not complete waits"],
      [FILE, "late writes to the renamed file are read, its last line without newline after a while"],
      HISTORIES,
    ],
  },
  {
    row: 25,
    fault: "No newline at the end, for ever",
    oracles: ["O1"],
    tests: [[FILE, "no newline for ever: handed over when the file is read once, waits when it is followed"]],
  },
  {
    row: 26,
    fault: "Crash with part of a line read",
    oracles: ["O1", "O2"],
    tests: [
      ["fault/kill.test.ts", "after ${ROUNDS} kills every line is everywhere exactly once"],
      [FILE, "are handed over whole, written piece by piece, over a crash, with lines among them"],
      HISTORIES,
    ],
  },
  {
    row: 27,
    fault: "A line of 100 MB; 100 MB without a line end",
    oracles: ["O1", "O7"],
    tests: [
      [FILE, "100 MB without a line end: bounded memory, then a gap with all its bytes"],
      ["fault/hostile-files.test.ts", "a line of 100 MB between good ones"],
    ],
    notHere: "1 GB: what is kept of a line does not depend on its length.",
  },
  {
    row: 28,
    fault: "Broken UTF-8, UTF-16, holes of NUL, BOM, CRLF, lone CR, U+2028",
    oracles: ["O1", "O5"],
    tests: [
      [
        FILE,
        "bytes pass as they are: CRLF, lone CR, U+2028, broken UTF-8; a BOM at the start is left out",
        "holes are gaps: at the start, between lines, as large as several batches",
      ],
      ["fault/hostile-text.test.ts", "invalid UTF-8 %#", "a file of %s", "U+2028 and U+2029 are text"],
      ["fault/hostile-files.test.ts", "a hole of NUL between good lines"],
    ],
  },
  {
    row: 29,
    fault: "Rotated files that are packed",
    oracles: ["O1", "O2"],
    tests: [
      [
        FILE,
        "packed by %s, partly read: goes on where it was",
        "packed files that were never read are read whole; a broken one is a gap",
      ],
      HISTORIES,
    ],
  },
  {
    row: 30,
    fault: "10,000 files; changes that nobody announces",
    oracles: ["O1", "O7"],
    tests: [
      [FILE, "10,000 files with few descriptors; looks are cheap when they rest"],
      ["sources/glob.test.ts", "no more than LIMITS.files paths, and the rest is counted"],
    ],
    notHere: "Limits and overflow of inotify: files are looked at, no notification is relied on.",
  },
  {
    row: 31,
    fault: "Permission denied, then granted; directory removed and made anew",
    oracles: ["O1", "O2"],
    tests: [
      [
        FILE,
        "permission denied, then granted",
        "a directory that is removed and comes again",
        "a base that is away when the collector starts loses no position",
      ],
    ],
  },
  {
    row: 32,
    fault: "Network and overlay file systems: stale handles, coarse times, other inodes",
    oracles: ["O1", "O2"],
    tests: [
      [
        "fault/mounts.test.ts",
        "overlay: a file that is written moves to another layer",
        "network: the server goes away and comes back, files are new to it",
      ],
      [
        "sources/moved.test.ts",
        "another %s: the stream goes on, twice",
        "nothing came since: nothing is read, and the new numbers are known",
        "a packed file and a renamed one beside it",
        "another content: read from its beginning, and a gap for what is gone",
        "a copy with what came since, while it runs and while it does not: %i more lines",
        "a copy of an earlier state: what was unread is read where it still is",
        "another end, another beginning: another file",
      ],
    ],
    notHere:
      "NFS and SMB themselves: the network file system is SFTP through FUSE, with whole seconds and inodes of its own making. A mount that is away when the collector begins is not known as such: its files look deleted after grace_ms.",
  },
  {
    row: 33,
    fault: "A pipe, a socket, a device, a directory that a pattern meets",
    oracles: ["O6", "O8"],
    tests: [
      [FILE, "a loop of links, a pipe, a socket, a device, a directory: refused once each, nothing hangs"],
      ["core/regular-file.test.ts", "a pipe nobody writes to, a device and a directory are refused"],
    ],
  },
  {
    row: 34,
    fault: "A file that shrinks while it is read",
    oracles: ["O1", "O5"],
    tests: [[FILE, "a file that shrinks and grows while it is read loses nothing silently"]],
    notHere: "Times of change in the future: when a file is looked at does not depend on them.",
  },
  {
    row: 35,
    fault: "Several writers at once, lines longer than a pipe's buffer",
    oracles: ["O1", "O5"],
    tests: [
      [
        "chokepoint/hook/collected.test.ts",
        "fifty processes at once: all are answered, all are in the ledger, none in the other's file",
      ],
      ["fault/hostile-text.test.ts", "lone CR between values, and two glued together"],
    ],
    notHere:
      "Lines that other programs interleave in one file cannot be told apart: each is kept as a record that cannot be read.",
  },
];
