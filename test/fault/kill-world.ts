// What the collector that is killed writes to: a cluster behind an endpoint that misbehaves and behind a gate that closes, and
// a broker that hangs and dies. What happens in which round comes from the seed; every kind has its turn in eight rounds.
import { randomOf } from "../random.ts";
import { deleteTopic, haveClient, newTopic } from "../kafka/topics.ts";
import { BulkProxy, faultsOf } from "./bulk-proxy.ts";
import { Gate } from "./gate.ts";
import { OwnBroker } from "./own-broker.ts";

export interface Weather {
  readonly cluster: "calm" | "faulty" | "away";
  readonly kafka: "there" | "hung" | "gone";
}
const CLUSTER: readonly Weather["cluster"][] = [
  "calm",
  "calm",
  "calm",
  "faulty",
  "faulty",
  "faulty",
  "away",
  "away",
];
const KAFKA: readonly Weather["kafka"][] = [
  "there",
  "there",
  "there",
  "there",
  "there",
  "hung",
  "hung",
  "gone",
];
const CALM: Weather = { cluster: "calm", kafka: "there" };
/** A broker takes seconds to start: one is killed in the first eight rounds, and then in eight of so many. */
const KILLED_IN = 32;
const FAULTS = 200;
const PARTITIONS = 3;

export function weatherOf(seed: number, rounds: number): Weather[] {
  const random = randomOf(seed);
  const shuffled = <T>(from: readonly T[]): T[] =>
    from
      .map((value) => [random(), value] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, value]) => value);
  const all: Weather[] = [];
  while (all.length < rounds) {
    const killed = all.length % KILLED_IN === 0;
    const kafka = shuffled(KAFKA);
    let clusters = shuffled(CLUSTER);
    // Only collectors of every other round live to be answered.
    while (!clusters.some((cluster, i) => i % 2 === 1 && cluster === "faulty")) clusters = shuffled(CLUSTER);
    for (const [i, cluster] of clusters.entries())
      all.push({ cluster, kafka: kafka[i] === "gone" && !killed ? "hung" : kafka[i]! });
  }
  return all.slice(0, rounds);
}

export class World {
  readonly #seed: number;
  readonly #proxy: BulkProxy;
  readonly #gate: Gate;
  readonly #broker: OwnBroker | undefined;
  readonly topic: string;
  /** Faults that this round began with. */
  #given = 0;

  private constructor(
    seed: number,
    proxy: BulkProxy,
    gate: Gate,
    broker: OwnBroker | undefined,
    topic: string,
  ) {
    this.#seed = seed;
    this.#proxy = proxy;
    this.#gate = gate;
    this.#broker = broker;
    this.topic = topic;
  }

  /** `url` is that of the cluster. Without the client for Kafka there is no broker. */
  static async open(seed: number, url: string): Promise<World> {
    const proxy = new BulkProxy({ url });
    const gate = new Gate(await proxy.start());
    await gate.open();
    const broker = haveClient() ? await OwnBroker.start() : undefined;
    const topic = broker === undefined ? "" : await newTopic(broker.address, PARTITIONS);
    return new World(seed, proxy, gate, broker, topic);
  }

  /** Where the cluster is for the collector. */
  get url(): string {
    return this.#gate.url;
  }

  /** The broker, where there is one. */
  get broker(): string | undefined {
    return this.#broker?.address;
  }

  /** Bulks by what became of them. */
  get met(): ReadonlyMap<string, number> {
    return this.#proxy.met;
  }

  /** Bulks that were spoiled in this round. */
  get spoiled(): number {
    return this.#given - this.#proxy.script.length;
  }

  async turn({ cluster, kafka }: Weather, round: number): Promise<void> {
    this.#proxy.script.length = 0;
    if (cluster === "faulty") this.#proxy.script.push(...faultsOf(this.#seed + round, FAULTS));
    this.#given = this.#proxy.script.length;
    await (cluster === "away" ? this.#gate.close() : this.#gate.open());
    await this.#broker?.be(kafka);
  }

  clear(): Promise<void> {
    return this.turn(CALM, 0);
  }

  async end(): Promise<void> {
    await this.#gate.close();
    await this.#proxy.stop();
    if (this.#broker === undefined) return;
    await this.#broker.be("there");
    await deleteTopic(this.#broker.address, this.topic);
    await this.#broker.end();
  }
}
