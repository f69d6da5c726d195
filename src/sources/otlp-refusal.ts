// Why a request is not taken: an HTTP status, the code of OTLP's Status, and a sentence. The sentence never quotes what
// was sent.

/** Codes of google.rpc.Status. */
export const CODES = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  408: 4,
  413: 8,
  415: 3,
  431: 8,
  500: 13,
  503: 14,
} as const;
export type RefusalStatus = keyof typeof CODES;

export class Refusal extends Error {
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/** The body is not what its type says. */
export class Undecodable extends Refusal {
  constructor(message: string) {
    super(400, message);
  }
}

/** Larger than a bound allows; sending it again does not help. */
export class TooMuch extends Refusal {
  constructor(message: string) {
    super(413, message);
  }
}

/** No room now; to be sent again. */
export class Busy extends Refusal {
  constructor(message: string) {
    super(503, message);
  }
}
