// The collector's own log: pino on standard error, outside the event path. Holds no event content and no secrets.
import { pino } from "pino";

type Level = "debug" | "info" | "warn" | "error";
export type Log = (level: Level, message: string, fields?: Record<string, unknown>) => void;

/** A log on standard error; `TAPLINE_LOG` sets the level (default warn, so that commands stay readable). */
export function openLog(): Log {
  const logger = pino(
    { level: process.env["TAPLINE_LOG"] ?? "warn", base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return (level, message, fields) => logger[level](fields ?? {}, message);
}
