// The registry of generators: each returns path → text, and reads only the tables.
import { eventSource } from "./event.ts";
import { classesSource } from "./classes.ts";

export const generators: readonly (() => Record<string, string>)[] = [eventSource, classesSource];
