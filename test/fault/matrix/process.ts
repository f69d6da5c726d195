// Group A: what happens to the process and to its disk.
import type { Row } from "./row.ts";

const POWER =
  "whenever the power fails, what was durable is there and each entry is shipped once (seed ${SEED})";
const SYSCALLS = "killed at any of its calls that change the disk, it goes on (seed ${SEED})";
const BEGINS = "refused %s at %s before anything runs, it ends";
const REFUSES = "at %s it ends with a reason or goes on, and nothing is lost (seed ${SEED})";

export const PROCESS: readonly Row[] = [
  {
    row: 1,
    fault: "SIGKILL at every boundary of a system call that changes the disk, and at random moments",
    oracles: ["O1", "O2", "O3", "O4", "O5"],
    tests: [
      ["fault/syscalls.test.ts", SYSCALLS],
      ["fault/kill.test.ts", "after ${ROUNDS} kills every line is everywhere exactly once"],
      [
        "fault/restart-alerts.test.ts",
        "after ${ROUNDS} kills, each with changed rules, the alerts are those of a run that was left alone",
      ],
      [
        "commands/otlp.test.ts",
        "after ${ROUNDS} kills everything that was acknowledged is in the ledger, once",
      ],
    ],
  },
  {
    row: 2,
    fault: "SIGTERM and SIGINT while a bulk is under way, again and again; the deadline of a stop",
    oracles: ["O1", "O2", "O6"],
    tests: [
      [
        "fault/process.test.ts",
        "stopped while a server never answers, once and for good: it ends in time, and nothing is lost",
      ],
      ["pipeline/deliver.test.ts", "a stop while a write is under way keeps its range doubtful"],
      [
        "commands/run.test.ts",
        "one press of Ctrl-C is several signals, from the terminal, npm and the launcher: they are one clean stop",
      ],
    ],
  },
  {
    row: 3,
    fault: "Out of memory",
    oracles: ["O1", "O2", "O4", "O6"],
    tests: [
      ["fault/process.test.ts", "out of memory it ends as if it were killed, and nothing is lost"],
      ["sinks/store.test.ts", "a process that is killed is started again, and every entry is there once"],
      ["viewer/process.test.ts", "a process that has more memory than it may ends, and says so"],
    ],
  },
  {
    row: 4,
    fault: "Power cut: what was not synced is lost, in part or whole",
    oracles: ["O1", "O2", "O3", "O4"],
    tests: [
      ["fault/power.test.ts", POWER],
      ["ledger/damage.test.ts", "comes back whole when tiles were lost with the power"],
    ],
  },
  {
    row: 5,
    fault: "Torn write: the log cut at every byte, every byte changed, pages out of order",
    oracles: ["O1", "O4"],
    tests: [
      [
        "ledger/wal.test.ts",
        "cut at every byte, keeps exactly the whole frames",
        "with any byte changed, is refused where it was durable and cut where it was not acknowledged",
        "pages of the last write that reached the disk out of order are a torn end, not damage",
      ],
      ["ledger/attacks.test.ts", "every byte of a ledger of %s, flipped in turn, makes verification fail"],
    ],
  },
  {
    row: 6,
    fault: "Rename that is not durable, since its directory was not synced",
    oracles: ["O1", "O2", "O4"],
    tests: [["fault/power.test.ts", POWER]],
  },
  {
    row: 7,
    fault:
      "No space at every write of log, tile, checkpoint, snapshot, key, cursor, dead letter and sink; then space again",
    oracles: ["O1", "O2", "O4", "O5", "O6"],
    tests: [
      ["fault/disk-errors.test.ts", REFUSES],
      [
        "ledger/damage.test.ts",
        "a full disk ends the writer with its own error, and loses nothing acknowledged",
      ],
      [
        "pipeline/deliver.test.ts",
        "dead letters are on disk before the cursor moves; while they cannot be kept, it does not",
      ],
      [
        "chokepoint/spool-writer.test.ts",
        "a file that may grow no further: the part of the line that fitted is taken back",
      ],
    ],
  },
  {
    row: 8,
    fault: "I/O error at write, sync and rename; after a failed sync nothing is taken for written",
    oracles: ["O1", "O4", "O6"],
    tests: [
      ["fault/disk-errors.test.ts", REFUSES, BEGINS],
      [
        "pipeline/pipeline.test.ts",
        "a batch is settled only when its frame is durable, and never when it cannot be",
        "a ledger that has failed meanwhile ends the run with its error, and throws into nobody's event",
      ],
    ],
  },
  {
    row: 9,
    fault: "Read-only file system, quota",
    oracles: ["O1", "O4", "O6"],
    tests: [
      ["fault/disk-errors.test.ts", REFUSES],
      [
        "fault/process.test.ts",
        "a disk that is mounted read-only ends the run with a reason; writable again, it goes on",
      ],
    ],
  },
  {
    row: 10,
    fault: "Too few file descriptors",
    oracles: ["O1", "O6"],
    tests: [
      [
        "fault/process.test.ts",
        "with too few file descriptors it says so or does with what it has, and nothing is lost",
      ],
      ["sources/file.test.ts", "few descriptors left in the process: files take turns, nothing is lost"],
    ],
    notHere: "ENFILE: the whole machine's table cannot be filled beside other work.",
  },
  {
    row: 11,
    fault: "Two collectors on one state directory",
    oracles: ["O2", "O4", "O6"],
    tests: [
      ["fault/process.test.ts", "a second collector on the same state is refused by name, and harms nothing"],
      ["ledger/log.test.ts", "has one writer; the lock of a dead process is taken over"],
      ["sinks/store.test.ts", "a store has one writer"],
    ],
  },
  {
    row: 12,
    fault: "State directory put back from an old backup",
    oracles: ["O4", "O6"],
    tests: [
      [
        "commands/anchors.test.ts",
        "after an older state was put back nothing is signed any more, and everything is recorded",
      ],
      [
        "commands/signer.test.ts",
        "a signer of another user signs what continues, and an older state that is put back no more",
      ],
      [
        "pipeline/deliver.test.ts",
        "%s: a cursor that is not this ledger's stops the delivery instead of skipping entries",
      ],
    ],
    notHere:
      "Without an anchor or a signer elsewhere nobody can tell an old state from the newest: see the threat model.",
  },
  {
    row: 13,
    fault: "State of an older version; state of a newer one",
    oracles: ["O1", "O2", "O4", "O6"],
    tests: [
      [
        "ledger/fixture.test.ts",
        "a run goes on where it was killed: counters, open calls, sinks, one tree",
        "every entry is read, and fits this version's field table",
      ],
      ["ledger/wal.test.ts", "of a later version is refused, not cut"],
      ["store/store.test.ts", "a store of another ledger, or of a newer version, is not touched"],
    ],
  },
  {
    row: 14,
    fault: "Own state damaged: never a crash loop, never running without collecting",
    oracles: ["O1", "O2", "O6"],
    tests: [
      [
        "fault/own-state.test.ts",
        "it does without %s",
        "%s is refused each time, and changes nothing",
        "a cursor that is none holds up its sink alone, and says what to do; that done, nothing is shipped twice",
      ],
      ["ledger/damage.test.ts", "is refused when damaged in the middle"],
      ["policy/state.test.ts", "pins that cannot be read are trouble, rates begin anew"],
    ],
  },
  {
    row: 15,
    fault: "Slow disk: seconds for each sync",
    oracles: ["O1", "O2", "O6"],
    tests: [["fault/process.test.ts", "a disk that takes seconds to sync delays, and does no more"]],
  },
  {
    row: 16,
    fault: "Stopped and continued (SIGSTOP), while the other side closes its connections",
    oracles: ["O1", "O2", "O5"],
    tests: [
      [
        "fault/process.test.ts",
        "frozen while the other side closes its connections, it goes on when it is let go",
      ],
    ],
    notHere: "Ten minutes: a full run freezes it for one minute, five times.",
  },
];
