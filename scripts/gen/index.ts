// The registry of generators: each returns path → text, and reads only the tables; the reference reads the code too, and
// dashboards their definitions.
import { avroSource } from "./avro.ts";
import { dashboardsSource } from "./dashboards.ts";
import { hookSource } from "./hook.ts";
import { lifecycleSource } from "./lifecycle.ts";
import { templatesSource } from "./templates.ts";
import { eventSource } from "./event.ts";
import { classesSource } from "./classes.ts";
import { secretsSource } from "./secrets.ts";
import { toolsSource } from "./tools.ts";
import { referenceSource } from "./reference.ts";

export const generators: readonly (() => Record<string, string> | Promise<Record<string, string>>)[] = [
  eventSource,
  classesSource,
  secretsSource,
  toolsSource,
  templatesSource,
  lifecycleSource,
  avroSource,
  dashboardsSource,
  referenceSource,
  hookSource,
];
