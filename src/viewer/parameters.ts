// Parameters of a request as what they mean, or BAD_QUESTION.
import { LIMITS } from "../core/limits.ts";
import type { AlertStatus, Level } from "./api.ts";
import type { View } from "./database.ts";
import type { Question } from "./figures.ts";
import type { Term } from "./query.ts";
import { type Place, parsePlace } from "./search.ts";
import { ALWAYS, type Span, parsePoint } from "./times.ts";
import { readQuery, refuse } from "./where.ts";

const STATUSES: readonly AlertStatus[] = ["open", "acknowledged", "closed", "suppressed"];
const LEVELS: readonly Level[] = ["informational", "low", "medium", "high", "critical"];

/** What was asked besides the path; every parameter at most once, and none that is not known. */
export class Asked {
  readonly #given: URLSearchParams;

  constructor(given: URLSearchParams, known: readonly string[]) {
    for (const name of given.keys()) {
      if (!known.includes(name)) refuse(`no parameter of that name: known are ${known.join(", ") || "none"}`);
      if (given.getAll(name).length > 1) refuse(`${name} is given more than once`);
    }
    this.#given = given;
  }

  text(name: string): string | undefined {
    return this.#given.get(name) ?? undefined;
  }

  span(standing: Span = ALWAYS): Span {
    const now_ms = Date.now();
    return {
      from: pointOf(this.text("from"), now_ms, standing.from),
      to: pointOf(this.text("to"), now_ms, standing.to),
    };
  }

  terms(): Term[] {
    return termsOf(this.text("q") ?? "");
  }

  question(view: View, signal: AbortSignal, standing?: Span): Question {
    return { view, span: this.span(standing), terms: this.terms(), signal };
  }

  limit(): number {
    return this.#whole("limit", 1, LIMITS.viewer_rows) ?? LIMITS.viewer_rows_default;
  }

  /** Minutes east of UTC. */
  tz(): number {
    return this.#whole("tz", -14 * 60, 14 * 60) ?? 0;
  }

  after(): Place | undefined {
    const text = this.text("after");
    return text === undefined ? undefined : parsePlace(text);
  }

  status(): AlertStatus | undefined {
    return oneOf(STATUSES, "status", this.text("status"));
  }

  level(): Level | undefined {
    return oneOf(LEVELS, "level", this.text("level"));
  }

  #whole(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : refuse(`${name} is a number from ${least} to ${most}`);
  }
}

function oneOf<T extends string>(list: readonly T[], name: string, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  return list.find((one) => one === text) ?? refuse(`${name} is one of ${list.join(", ")}`);
}

export function pointOf(text: string | undefined, now_ms: number, standing: number): number {
  if (text === undefined) return standing;
  return parsePoint(text, now_ms) ?? refuse("a point in time is written 2026-11-01T12:00:00Z, now or now-7d");
}

export function termsOf(q: string): Term[] {
  if (q.length > LIMITS.viewer_query_chars)
    refuse(`a search has at most ${LIMITS.viewer_query_chars} characters`);
  const terms = readQuery(q);
  const values = terms.reduce((sum, term) => sum + (term.kind === "is" ? term.values.length : 1), 0);
  if (terms.length > LIMITS.viewer_terms || values > LIMITS.viewer_values)
    refuse(`a search has at most ${LIMITS.viewer_terms} terms and ${LIMITS.viewer_values} values`);
  return terms;
}
