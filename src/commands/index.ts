// The registry of commands: one line about each, and where it is. Only the one that is called is loaded: most need little of
// what a collector needs, and a proxy starts with every agent.
import type { Command } from "./usage.ts";

interface Listed {
  /** One line for the list of commands. */
  readonly about: string;
  load(): Promise<Command>;
}

export const COMMANDS: Readonly<Record<string, Listed>> = {
  run: {
    about: "collect until stopped: this machine's agents, or what the configuration says",
    load: async () => (await import("./run.ts")).run,
  },
  scan: {
    about: "read files once and print the documents that a sink would get",
    load: async () => (await import("./scan.ts")).scan,
  },
  check: {
    about: "configuration, rules, connections: every problem at once",
    load: async () => (await import("./check.ts")).check,
  },
  rules: {
    about: "test, lint, explain, backtest, coverage, list, new: the tools for rules",
    load: async () => (await import("./rules/index.ts")).rules,
  },
  inventory: {
    about: "discover, diff, show, accept: what is sanctioned, what was seen",
    load: async () => (await import("./inventory/index.ts")).inventory,
  },
  incident: {
    about: "list, show, ack, note, notify, close, reopen: incidents, who was told, what is due",
    load: async () => (await import("./incident/index.ts")).incident,
  },
  view: {
    about: "the viewer's link, or a viewer over a store without collecting",
    load: async () => (await import("./view.ts")).view,
  },
  setup: {
    about: "install templates, lifecycle, roles, monitors and dashboards in a cluster",
    load: async () => (await import("./setup.ts")).setup,
  },
  replay: {
    about: "write entries again to a sink, leaving out what is there",
    load: async () => (await import("./replay.ts")).replay,
  },
  dlq: {
    about: "what sinks refused: list it, or try again",
    load: async () => (await import("./dlq.ts")).dlq,
  },
  erase: {
    about: "erase a person: their key, blobs, rows of the store and documents",
    load: async () => (await import("./erase.ts")).erase,
  },
  status: {
    about: "conservation law, lag, heads, what integrity is in force",
    load: async () => (await import("./status.ts")).status,
  },
  ledger: {
    about: "verify, prove, show, serve, reconcile, signer, keygen: a ledger that others can check",
    load: async () => (await import("./ledger/index.ts")).ledger,
  },
  report: {
    about: "an evidence pack for auditors: controls, gaps, sample with proofs",
    load: async () => (await import("./report/index.ts")).report,
  },
  "serve-auditor": {
    about: "an evidence pack as a web page on this machine, read-only",
    load: async () => (await import("./serve-auditor.ts")).serveAuditor,
  },
  mcp: {
    about: "the chokepoint for MCP: decide on and record what passes between a client and a server",
    load: async () => (await import("./mcp.ts")).mcp,
  },
  hook: {
    about: "the chokepoint for agents that have hooks: decide on a call, install, uninstall",
    load: async () => (await import("./hook.ts")).hook,
  },
};
