// Holds what transcripts show against what was decided at the chokepoint: a call without a decision is a `bypass`, a
// decision that no transcript shows is a `hole`. Kept by the ordering thread. Nothing is said before the time of events
// has passed the call by a while, since the two sides are read apart. The same calls give the same events, so that a
// restart makes the calls of its frames again and throws the events away.
import { type Origin, eventOf } from "../core/event.ts";
import type { Event } from "../core/generated/event.ts";
import { LIMITS } from "../core/limits.ts";
import { fromMs } from "../core/time.ts";
import { Expectation, type ExpectationState, type Expected } from "./expectation.ts";
import type { Observation } from "./observations.ts";

/** One call, as far as it was seen. */
interface Held {
  readonly arrived_ms: number;
  /** The earliest that was told of it. */
  time_ms: number;
  call?: Observation | undefined;
  hook?: Observation | undefined;
  proxy?: Observation | undefined;
  /** When the transcript told that it never ran: a user or the agent's own rules said no. */
  refused_ms?: number | undefined;
}

/** How far time has come. */
export interface Moment {
  readonly now_ms: number;
  /** The watermark of event time. */
  readonly mark_ms: number;
}

/** What a frame keeps, so that its call can be made again. */
export interface OversightHeader {
  readonly now_ms: number;
  readonly mark_ms: number | null;
  readonly seen: readonly Observation[];
}

export interface OversightState extends ExpectationState {
  readonly held: readonly (readonly [string, Held])[];
  readonly blind_ms: number | null;
}

export interface Overseen {
  readonly events: readonly Event[];
  readonly header: OversightHeader | undefined;
}

export class Oversight {
  readonly #origin: Origin;
  readonly #expectation: Expectation;
  /** By key of the call; the one that arrived first is first. */
  readonly #held = new Map<string, Held>();
  /** Of calls up to this time some are forgotten: nothing is said of any. */
  #blind_ms = Number.NEGATIVE_INFINITY;
  #evicted = 0;

  constructor(origin: Origin, expected: Expected) {
    this.#origin = origin;
    this.#expectation = new Expectation(expected);
  }

  /** Takes in what a batch told, and says what is due. */
  offer(seen: readonly Observation[], moment: Moment): Overseen {
    for (const o of seen) this.#take(o, moment.now_ms);
    const events = this.#due(moment);
    const keep = this.#expectation.any && (seen.length > 0 || events.length > 0);
    return { events, header: keep ? headerOf(seen, moment) : undefined };
  }

  /** Whether a call of `offer` with nothing new would say something. */
  isDue(moment: Moment): boolean {
    if (moment.mark_ms === Number.NEGATIVE_INFINITY) return false;
    for (const held of this.#held.values()) {
      if (!rested(held, moment)) return false;
      if (passed(held, moment)) return true;
    }
    return false;
  }

  /** No more will come: everything is due. */
  close(now_ms: number): readonly Event[] {
    return this.#due({ now_ms: Number.POSITIVE_INFINITY, mark_ms: Number.POSITIVE_INFINITY }, now_ms);
  }

  /** Makes the call of a recorded frame again; its events are in the ledger. */
  replay({ now_ms, mark_ms, seen }: OversightHeader): void {
    this.offer(seen, { now_ms, mark_ms: mark_ms ?? Number.NEGATIVE_INFINITY });
  }

  /** Calls and sessions dropped because a bound bit: nothing is said of them. */
  get evicted(): number {
    return this.#evicted + this.#expectation.evicted;
  }

  /** Calls that wait for their time. */
  get size(): number {
    return this.#held.size;
  }

  state(): OversightState {
    const blind_ms = Number.isFinite(this.#blind_ms) ? this.#blind_ms : null;
    return { ...this.#expectation.state(), held: [...this.#held], blind_ms };
  }

  apply(state: OversightState): void {
    this.#expectation.apply(state);
    this.#blind_ms = state.blind_ms ?? this.#blind_ms;
    for (const [key, held] of state.held) this.#held.set(key, { ...held });
  }

  #take(o: Observation, now_ms: number): void {
    this.#expectation.observe(o);
    if (o.side === "session") return;
    let held = this.#held.get(o.key);
    if (o.side === "refusal") {
      if (held !== undefined) held.refused_ms ??= o.time_ms;
      return;
    }
    if (held === undefined) {
      held = { arrived_ms: now_ms, time_ms: o.time_ms };
      this.#held.set(o.key, held);
      if (this.#held.size > LIMITS.chokepoint_calls) {
        const [oldest, { time_ms }] = this.#held.entries().next().value!;
        this.#held.delete(oldest);
        this.#blind_ms = Math.max(this.#blind_ms, time_ms);
        this.#evicted++;
      }
    }
    held.time_ms = Math.min(held.time_ms, o.time_ms);
    if (o.side === "transcript") held.call ??= o;
    else held[o.side] ??= o;
    if (held.call === undefined) return;
    if (held.hook !== undefined) this.#expectation.agree(held.call, held.hook);
    if (held.proxy !== undefined) this.#expectation.agree(held.call, held.proxy);
  }

  #due(moment: Moment, now_ms = moment.now_ms): Event[] {
    const events: Event[] = [];
    if (moment.mark_ms === Number.NEGATIVE_INFINITY) return events;
    for (const [key, held] of this.#held) {
      if (!rested(held, moment)) break;
      if (!passed(held, moment)) continue;
      this.#held.delete(key);
      this.#handOn(key, held);
      const e = held.time_ms <= this.#blind_ms ? undefined : this.#judge(held, now_ms);
      if (e !== undefined) events.push(e);
    }
    return events;
  }

  /** What came to the proxy after a call was refused is the next of those with its arguments: where no id tells them
   * apart their order does, and the proxy's side may have been read before anybody knew of the refusal. */
  #handOn(of: string, held: Held): void {
    const since_ms = isStopped(held.hook) ? held.hook!.time_ms : held.refused_ms;
    let moved = held.proxy;
    if (moved === undefined || moved.named || since_ms === undefined || moved.time_ms < since_ms) return;
    let key = keyAfter(of);
    if (key === undefined) return;
    held.proxy = undefined;
    for (; moved !== undefined; key = keyAfter(key)!) {
      const next: Held = this.#held.get(key) ?? { arrived_ms: held.arrived_ms, time_ms: moved.time_ms };
      [next.proxy, moved] = [{ ...moved, key }, next.proxy];
      this.#held.set(key, next);
    }
  }

  #judge({ call, hook, proxy, refused_ms }: Held, now_ms: number): Event | undefined {
    if (call !== undefined) {
      // What never ran went around nothing; what the hook stopped never came to the proxy.
      if (refused_ms !== undefined) return undefined;
      const missing: string[] = [];
      if (hook === undefined && this.#expectation.ofHook(call)) missing.push("hook");
      if (proxy === undefined && !isStopped(hook) && this.#expectation.ofProxy(call)) missing.push("proxy");
      if (missing.length === 0) return undefined;
      const decided = (hook ?? proxy)?.side;
      const seen = decided === undefined ? ["transcript"] : ["transcript", decided];
      return this.#event("bypass", call, missing, seen, now_ms);
    }
    const decision = hook ?? proxy!;
    const of = [hook, proxy].filter((o) => o !== undefined && this.#expectation.ofTranscript(o));
    const seen = [hook, proxy].flatMap((o) => o?.side ?? []);
    return of.length === 0 ? undefined : this.#event("hole", decision, ["transcript"], seen, now_ms);
  }

  #event(
    action: "bypass" | "hole",
    o: Observation,
    missing: readonly string[],
    seen: readonly string[],
    now_ms: number,
  ): Event {
    const e = eventOf(action, this.#origin);
    Object.assign(e, o.about);
    e["service.name"] = o.client;
    e["gen_ai.conversation.id"] = o.session;
    e["gen_ai.operation.name"] = "execute_tool";
    e["gen_ai.tool.name"] = o.tool;
    e["tapline.server.name"] = o.server;
    e["tapline.call_key"] = o.key;
    if (o.backfill) e["tapline.backfill"] = true;
    e["@timestamp"] = fromMs(o.time_ms)!;
    e["event.created"] = fromMs(now_ms)!;
    e["event.id"] = `${o.about["event.id"]}-${action}`;
    e["event.outcome"] = "unknown";
    e["tapline.vantage"] = "self";
    e["tapline.cause.event_id"] = o.about["event.id"];
    e["tapline.chokepoint.missing"] = missing;
    e["tapline.chokepoint.seen"] = seen;
    const what = o.server === undefined ? o.tool : `${o.tool} of ${o.server}`;
    e["message"] =
      action === "bypass"
        ? `the transcript shows a call of ${what} that no ${missing.join(" and no ")} decided on`
        : `a decision on a call of ${what} that no transcript shows`;
    return e;
  }
}

/** Whether the hook let the call not pass. */
function isStopped(hook: Observation | undefined): boolean {
  return hook?.about["tapline.decision.action"] === "block";
}

/** Key of the next call with the same arguments; undefined for a key that has no occurrence at its end. */
function keyAfter(key: string): string | undefined {
  const end = key.lastIndexOf(".") + 1;
  const n = Number(key.slice(end));
  return Number.isSafeInteger(n) ? `${key.slice(0, end)}${n + 1}` : undefined;
}

/** The other side may still be on its way in. */
function rested({ arrived_ms }: Held, { now_ms }: Moment): boolean {
  return now_ms - arrived_ms >= LIMITS.chokepoint_settle_ms;
}

/** Event time has passed the call by far enough. */
function passed({ time_ms }: Held, { mark_ms }: Moment): boolean {
  return mark_ms - time_ms >= LIMITS.chokepoint_grace_ms;
}

function headerOf(seen: readonly Observation[], { now_ms, mark_ms }: Moment): OversightHeader {
  return { now_ms, mark_ms: Number.isFinite(mark_ms) ? mark_ms : null, seen };
}
