// The one error class for trouble with the world: disk, network, permissions, configuration.
// A bad record is a value, not an error; a bad program is an assert.

/** `code` is stable and documented; `retry` says whether the same call may succeed later. */
export class TaplineError extends Error {
  readonly code: string;
  readonly retry: boolean;
  readonly remedy: string | undefined;

  /** The message says what and where; `remedy` says what to do. */
  constructor(
    code: string,
    message: string,
    options: { retry?: boolean; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TaplineError";
    this.code = code;
    this.retry = options.retry ?? false;
    this.remedy = options.remedy;
  }
}

/** A rule or its alert failed on an event: a fault in the program or the rule, told from that of a mapper. */
export class RuleFailed extends Error {}

/** Text of anything thrown, for a message: never a stack. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `code` of a Node system error (ENOENT, ...), if it is one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
