// `tapline incident`: what happened, who was told, what is due. Each subcommand is in a file of its own, or with its kin.
import { commandOf } from "../usage.ts";

export const incident = commandOf(
  {
    list: async () => (await import("./list.ts")).list,
    show: async () => (await import("./show.ts")).show,
    ack: async () => (await import("./say.ts")).ack,
    note: async () => (await import("./say.ts")).note,
    notify: async () => (await import("./notify.ts")).notify,
    close: async () => (await import("./say.ts")).close,
    reopen: async () => (await import("./say.ts")).reopen,
  },
  `usage: tapline incident list [--all] [-c FILE] [--json]
       tapline incident show ID [-c FILE] [--json]
       tapline incident ack ID [--note TEXT] [-c FILE] [--json]
       tapline incident note ID [TEXT] [--deadline NAME] [-c FILE] [--json]
       tapline incident notify ID --to WHOM… [--deadline NAME] [--note TEXT] [-c FILE] [--json]
       tapline incident close ID --true-positive|--false-positive [--note TEXT] [-c FILE] [--json]
       tapline incident reopen ID [--note TEXT] [-c FILE] [--json]

  list         open incidents, and closed ones with a deadline that is not met; --all lists every one
  show         one incident: its deadlines, and everything that happened to it, with its entry in the ledger
  ack          somebody looks at it
  note         adds a note; --deadline applies a deadline of the configuration, counted from when it was opened
  notify       records who was told; --deadline names the deadline that the report meets
  close        with a verdict
  reopen       after all

ID is the id of an incident, or at least its first four characters. What is said is handed to the collector, which
records it with the user of the operating system; when none runs, it is recorded at its next start.
Exit code 1: a deadline has passed (list, show), or it cannot be done in the state it is in (ack, close, reopen).`,
);
