// The streams of a receiver: one for each lane, for records that name their session, and one for each service whose
// records name none, so that services do not share a session. A stream's id decides its lane, so that the state that
// hangs on it comes back to the worker that reads it.
import { hash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Position, Router, StreamInfo } from "../core/stage.ts";
import { LIMITS } from "../core/limits.ts";
import { depthOf } from "../core/text.ts";
import type { Fields } from "./otlp-proto.ts";
import type { Line } from "./otlp-records.ts";

const FORMAT = "otlp-json";

const markSchema = z.object({
  offset: z.int().min(0),
  /** Of records that name no session. */
  service: z.string().optional(),
});

export interface Stream {
  readonly id: string;
  readonly lane: number;
  readonly service: string | undefined;
  offset: number;
  announced: boolean;
}

/** What the source says of all its streams. */
export type Common = Pick<StreamInfo, "source" | "path" | "capture">;

export class Streams {
  readonly #router: Router;
  readonly #common: Common;
  readonly #by_lane: (Stream | undefined)[];
  readonly #by_service = new Map<string, Stream>();
  /** Records of services for which there was no stream of their own. */
  crowded = 0;

  constructor(router: Router, common: Common) {
    this.#router = router;
    this.#common = common;
    this.#by_lane = Array.from({ length: router.lanes }, () => undefined);
  }

  /** Takes a position of an earlier run; false when it is not one of a stream. */
  restore(id: string, position: Position): boolean {
    const mark = markSchema.safeParse(position);
    if (!mark.success) return false;
    const { offset, service } = mark.data;
    const stream: Stream = { id, lane: this.#router.laneOf(id), service, offset, announced: false };
    if (service !== undefined) this.#by_service.set(service, stream);
    else this.#by_lane[stream.lane] ??= stream;
    return true;
  }

  position(stream: Stream): Position {
    return stream.service === undefined
      ? { offset: stream.offset }
      : { offset: stream.offset, service: stream.service };
  }

  /** What the worker has to know of a stream before its first segment; undefined when it knows. */
  announce(stream: Stream): StreamInfo | undefined {
    if (stream.announced) return undefined;
    stream.announced = true;
    return {
      ...this.#common,
      id: stream.id,
      format: FORMAT,
      session: undefined,
      options: undefined,
      // There is none: a record without a time gets that of its arrival.
      modified_ms: Number.NaN,
    };
  }

  /** The stream of a record. */
  of({ bytes, request, resource }: Line): Stream {
    // A record that nests too deep is kept as it is, without a session: nobody walks through it.
    const deep = depthOf(bytes, 0, bytes.length) > LIMITS.depth;
    const session = deep ? undefined : this.#router.sessionIn(FORMAT, request);
    if (session !== undefined) return this.ofLane(this.#router.laneOf(session));
    return this.#ofService(
      JSON.stringify([attribute(resource, "service.name"), attribute(resource, "host.name")]),
    );
  }

  ofLane(lane: number): Stream {
    return (this.#by_lane[lane] ??= this.#make(lane, undefined));
  }

  #ofService(name: string): Stream {
    // It is kept in every position: no longer than a name is.
    const service = name.length <= LIMITS.state_key_chars ? name : hash("sha256", name);
    const known = this.#by_service.get(service);
    if (known !== undefined) return known;
    if (this.#by_service.size >= LIMITS.otlp_services) {
      this.crowded++;
      return this.ofLane(this.#router.laneOf(service));
    }
    const stream = this.#make(undefined, service);
    this.#by_service.set(service, stream);
    return stream;
  }

  /** A stream that never was, of this lane if one is given. Offsets of streams that were are never given twice. */
  #make(lane: number | undefined, service: string | undefined): Stream {
    for (;;) {
      const id = randomBytes(10).toString("hex");
      const at = this.#router.laneOf(id);
      if (lane === undefined || at === lane) return { id, lane: at, service, offset: 0, announced: false };
    }
  }
}

/** A text attribute of a resource. */
function attribute(resource: Fields, name: string): string | undefined {
  const list = resource["attributes"];
  if (!Array.isArray(list)) return undefined;
  for (const item of list as { key?: unknown; value?: { stringValue?: unknown } }[]) {
    if (item?.key !== name) continue;
    const value = item.value?.stringValue;
    return typeof value === "string" ? value : undefined;
  }
  return undefined;
}
