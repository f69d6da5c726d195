// `tapline inventory`: what is sanctioned, what was seen. Each subcommand has a file of its own.
import { commandOf } from "../usage.ts";

export const inventory = commandOf(
  {
    discover: async () => (await import("./discover.ts")).discover,
    diff: async () => (await import("./diff.ts")).diff,
    show: async () => (await import("./show.ts")).show,
    accept: async () => (await import("./accept.ts")).accept,
  },
  `usage: tapline inventory discover [--out FILE] [-c FILE] [--json]
       tapline inventory diff|show [-c FILE] [--json]
       tapline inventory accept SERVER [TOOL] [-c FILE] [--json]

  discover     a first inventory from the configuration of the clients on this machine and of the project in this
               directory, and from what the ledger has seen. Nobody has approved any of it: review it
    --out FILE      writes it there, unless something is there already; otherwise it is printed
  diff         what is configured, sanctioned and seen, held against each other; exit code 1 when they differ
                 unsanctioned  a client is set up with it, or lets it through, and the policy does not know it
                 version       a client starts a version that is not approved
                 denied        a client keeps it out, and the policy sanctions it
                 unused        sanctioned, and neither configured nor seen
                 unknown       seen, and neither sanctioned nor configured
                 changed       a tool whose definition changed, in quarantine
                 expired       its approval ended
  show         the policy in force, and what is pinned
  accept       trusts the definition that a tool in quarantine has now; exit code 1 when there is none

Secrets of known shapes in command lines and URLs are shown as *; environment and headers are never read.`,
);
