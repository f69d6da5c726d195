// Group E: what servers do, and what stands before them.
import type { Row } from "./row.ts";

const SEEDS = [
  "fault/bulk-proxy.test.ts",
  "whatever the endpoint does, everything arrives once (seed %i)",
] as const;
const WHOLE = "%s: %s, then resent without a duplicate, even after a rollover";
const CLIENTS = "sinks/clients.test.ts";
const REAL = [
  "fault/outage.test.ts",
  "an outage of every kind before a real server: all is recorded meanwhile, then all arrives, once",
] as const;

export const SERVERS: readonly Row[] = [
  {
    row: 55,
    fault: "429 for the whole and for items, Retry-After",
    oracles: ["O1", "O2", "O5"],
    tests: [
      SEEDS,
      [
        CLIENTS,
        "a whole 429 is waited out inside the call, without a lookup",
        "a server that says when to come back (%s) is not asked before",
        "an item that stays put off does not end until the call is stopped",
      ],
      REAL,
    ],
  },
  {
    row: 56,
    fault: "503; 502 and 200 with a page; 200 cut short; items missing or in other order",
    oracles: ["O1", "O2", "O5"],
    tests: [SEEDS, [CLIENTS, WHOLE, "an answer in another order is read by id"], REAL],
  },
  {
    row: 57,
    fault: "Every status in one bulk",
    oracles: ["O1", "O2", "O5"],
    tests: [SEEDS, [CLIENTS, "every item status at once"]],
  },
  {
    row: 58,
    fault: "413",
    oracles: ["O1", "O5"],
    tests: [SEEDS, [CLIENTS, "a whole %i is halved until the item at fault stands alone"]],
  },
  {
    row: 59,
    fault: "Reset before and after the head, in the body, after the server applied it",
    oracles: ["O1", "O2"],
    tests: [
      SEEDS,
      [
        CLIENTS,
        WHOLE,
        "any order of faults: created, existing and dead add up, and each document is there once",
      ],
      REAL,
    ],
  },
  {
    row: 60,
    fault: "No answer, an answer in drops, connections that were closed meanwhile",
    oracles: ["O1", "O2", "O6"],
    tests: [SEEDS, [CLIENTS, WHOLE]],
    notHere: "Ten minutes: an answer is given up after the sink's timeout_s, here one second.",
  },
  {
    row: 61,
    fault: "A name that does not resolve, an address where nobody listens",
    oracles: ["O1", "O6"],
    tests: [
      [
        CLIENTS,
        "a server that is down is a retry, not a crash",
        "a name that does not resolve is a retry that names it",
      ],
      [
        "commands/run.test.ts",
        "a sink that cannot be reached: the ledger has everything, the exit code is 3, status names it",
      ],
    ],
    notHere: "Addresses that change, and IPv6 that leads nowhere, need a resolver and routes of our own.",
  },
  {
    row: 62,
    fault: "TLS: unknown authority, wrong name",
    oracles: ["O1", "O8"],
    tests: [
      [
        "sinks/tls.test.ts",
        "an unknown authority is refused, and nothing is sent",
        "the authority in ca_file is trusted, for the name in the certificate only",
      ],
      [
        "kafka/security.test.ts",
        "with a certificate of an authority that is not trusted is refused",
        "that speaks TLS is not spoken to without",
      ],
    ],
    notHere: "Expired certificates: the check is the runtime's, by the same code.",
  },
  {
    row: 63,
    fault: "401 and 403, and back; a password changed at run time",
    oracles: ["O1", "O2", "O6"],
    tests: [SEEDS, [CLIENTS, WHOLE, "a rotated password is read again after a 401, and no message holds it"]],
  },
  {
    row: 64,
    fault: "Index read-only, template missing, index missing, rollover between sending and sending again",
    oracles: ["O1", "O2", "O5"],
    tests: [
      SEEDS,
      [
        CLIENTS,
        "a missing template stops the sink and says what to do; missing index ends as a dead letter",
        "without the lookup, a rollover between apply and resend would store twice",
      ],
      [
        "integration/run.test.ts",
        "a replay of the whole ledger creates nothing, also after a rollover of every stream",
      ],
      REAL,
    ],
    notHere: "An alias with two write indices: data streams have one.",
  },
  {
    row: 65,
    fault: "409 for what is there",
    oracles: ["O2", "O5"],
    tests: [SEEDS, ["integration/run.test.ts", "a cursor that was lost ships nothing twice"]],
  },
  {
    row: 66,
    fault: "The server acknowledges, and loses it",
    oracles: ["O1", "O4"],
    tests: [
      ["integration/reconcile.ts", "counts every document that is missing, altered or extra exactly once"],
      ["commands/ledger.test.ts", "replay: what is there is left out; a lost file is written again, whole"],
    ],
  },
  {
    row: 67,
    fault: "A long outage, then the backlog",
    oracles: ["O1", "O2", "O5", "O7"],
    tests: [
      [
        "fault/backlog.test.ts",
        "of an outage of hours is drained while what is fresh comes in at once, and all is there once",
      ],
      REAL,
      ["pipeline/deliver.test.ts", "a sink that does not answer lags alone"],
      ["pipeline/pipeline.test.ts", "a source with a backlog leaves room for what is fresh in another"],
    ],
    notHere:
      "Hours of wall time. A backlog is entries in the ledger's files, however old: nothing waits in memory. The long run has as many as two hours bring.",
  },
  {
    row: 68,
    fault: "Kafka: members that come, go and are killed, brokers that do not answer, tombstones, poison",
    oracles: ["O1", "O2", "O3"],
    tests: [
      ["fault/kill.test.ts", "after ${ROUNDS} kills every line is everywhere exactly once"],
      [
        "integration/kafka.test.ts",
        "one that is killed is taken over, and takes back: nothing is lost, and nothing is seen twice",
        "one joins while the other reads, and one leaves: every call is in exactly one ledger",
      ],
      [
        "sources/kafka.test.ts",
        "tombstones and empty messages are counted, and move the position",
        "what cannot be decoded is handed on as it is, and said once",
        "what the brokers no longer have is a gap, and reading goes on behind it",
      ],
      ["sinks/kafka-sending.test.ts", "every entry gets one fate, whatever the brokers answer"],
      [
        "sinks/kafka.test.ts",
        "what the broker will never take is a dead letter, and costs no other its place",
      ],
    ],
    unrecoverable: "What the brokers removed before it was read: a gap entry names partition and offsets.",
  },
];
