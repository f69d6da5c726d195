// The dashboards, in the order of their navigation row.
import { coverage } from "./coverage.ts";
import { data } from "./data.ts";
import type { Dashboard } from "./define.ts";
import { exfiltration } from "./exfiltration.ts";
import { incidents } from "./incidents.ts";
import { operation } from "./operation.ts";
import { use } from "./use.ts";

export const DASHBOARDS: readonly Dashboard[] = [operation, incidents, use, data, exfiltration, coverage];
