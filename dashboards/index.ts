// The dashboards, in the order of their navigation row.
import type { Dashboard } from "./define.ts";
import { operation } from "./operation.ts";

export const DASHBOARDS: readonly Dashboard[] = [operation];
