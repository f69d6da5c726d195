// The registry of commands.
import { check } from "./check.ts";
import { dlq } from "./dlq.ts";
import { erase } from "./erase.ts";
import { hook } from "./hook.ts";
import { incident } from "./incident/index.ts";
import { inventory } from "./inventory/index.ts";
import { ledger } from "./ledger/index.ts";
import { mcp } from "./mcp.ts";
import { replay } from "./replay.ts";
import { report } from "./report/index.ts";
import { rules } from "./rules/index.ts";
import { run } from "./run.ts";
import { scan } from "./scan.ts";
import { serveAuditor } from "./serve-auditor.ts";
import { setup } from "./setup.ts";
import { status } from "./status.ts";
import type { Command } from "./usage.ts";
import { view } from "./view.ts";

export const COMMANDS: Readonly<Record<string, Command>> = {
  run,
  scan,
  check,
  rules,
  inventory,
  incident,
  view,
  setup,
  replay,
  dlq,
  erase,
  status,
  ledger,
  report,
  "serve-auditor": serveAuditor,
  mcp,
  hook,
};
