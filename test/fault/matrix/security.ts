// Group F: receivers, the viewer, and who attacks them.
import type { Row } from "./row.ts";

export const SECURITY: readonly Row[] = [
  {
    row: 69,
    fault: "No bearer or a wrong one; too many senders",
    oracles: ["O8", "O7"],
    tests: [
      [
        "sources/otlp-http.test.ts",
        "token %s",
        "beyond loopback only with a token",
        "no more connections than the bound; the others go on",
      ],
    ],
    notHere: "Quotas by sender: connections and memory are bounded for all together.",
  },
  {
    row: 70,
    fault: "Bodies that are too long, bombs, bodies without end, slow senders, heads without end",
    oracles: ["O6", "O7", "O8"],
    tests: [
      [
        "sources/otlp-http.test.ts",
        "too large: told at once by its length, else when it has come so far; the connection lives",
        "a bomb is refused while it unpacks, with no more memory than its bound",
        "a client that sends its body drop by drop is cut off",
        "clients that send nothing more are cut off, those that never end a header too",
      ],
      ["commands/otlp.test.ts", "bombs do not make the collector grow"],
    ],
  },
  {
    row: 71,
    fault: "Host and Origin of others",
    oracles: ["O8"],
    tests: [
      ["viewer/server.test.ts", "%s is refused, with a cookie too", "two Host headers are refused"],
      ["sources/otlp-http.test.ts", "Host %s: %i", "pages do not get in, whatever their origin says"],
      [
        "chokepoint/mcp-http.test.ts",
        "other names for this machine are refused: Host and Origin of other sites",
      ],
      [
        "ledger/serve.test.ts",
        "goes to nobody who calls by another name, to no page, and for no other method",
      ],
    ],
  },
  {
    row: 72,
    fault: "Requests that another page makes",
    oracles: ["O8"],
    tests: [
      [
        "viewer/server.test.ts",
        "a POST without an Origin, or as a form sends it, does nothing",
        "the token becomes a cookie that scripts and other sites do not get, and leaves the address",
      ],
    ],
  },
  {
    row: 73,
    fault: "Paths that lead elsewhere",
    oracles: ["O8"],
    tests: [
      ["viewer/server.test.ts", "%s leads to no file"],
      ["ledger/serve.test.ts", "is no other file and no odd spelling of one"],
      ["evidence/serve.test.ts", "no path leads out of the pack"],
    ],
  },
  {
    row: 74,
    fault: "Markup and script in what was recorded",
    oracles: ["O8"],
    tests: [
      [
        "viewer/web/hostile.test.ts",
        "nothing of them renders on any page, in charts, tooltips, dialogs or titles",
      ],
      ["viewer/server.test.ts", "every answer has the headers that bind a browser"],
      ["evidence/pack.test.ts", "nothing recorded acts in the page, opened from a disk"],
    ],
  },
  {
    row: 75,
    fault: "Addresses in events that somebody would like to have fetched",
    oracles: ["O8"],
    tests: [
      [
        "sinks/webhook.test.ts",
        "a refusal and a redirect are final; nothing goes where the redirect points",
        "a URL that no secret may go to is refused: %s",
      ],
    ],
    notHere: "No code fetches what an event names; the address of a webhook is the configuration's.",
  },
  {
    row: 76,
    fault: "Events that claim to be another collector's",
    oracles: ["O2", "O8"],
    tests: [
      [
        "sources/kafka.test.ts",
        "events of other collectors come as they were, whatever their encoding, and once",
      ],
      [
        "integration/kafka.test.ts",
        "what two hosts recorded is in the central ledger once, under the same ids, with where it came from",
      ],
    ],
    notHere: "Who may write to the topic may claim to be anybody: that is for the brokers' access rules.",
  },
  {
    row: 77,
    fault: "Witness or time stamping service away; a witness that holds another history",
    oracles: ["O1", "O4", "O6"],
    tests: [
      [
        "ledger/anchors.test.ts",
        "a log that the witness does not know, and a witness that is not the one configured, are trouble",
        "a ledger that was %s is not cosigned any more",
        "what cannot be pushed is trouble, and goes with the next",
      ],
      [
        "commands/anchors.test.ts",
        "after an older state was put back nothing is signed any more, and everything is recorded",
      ],
      ["ledger/signer.test.ts", "lags alone: entries are recorded, and signed when it is back"],
    ],
  },
  {
    row: 78,
    fault: "Keys that others can read; a change of keys",
    oracles: ["O4", "O8"],
    tests: [
      ["ledger/log.test.ts", "makes its key once, for its owner only, and refuses one that others can read"],
      [
        "ledger/rotation.test.ts",
        "whoever has either key verifies, with what was kept from before",
        "a change that a crash cut short is either not begun, or finished at the next start",
      ],
      [
        "normalise/seal.test.ts",
        "refuses keys that others can read, files that are no key, subjects that are paths",
      ],
    ],
  },
];
