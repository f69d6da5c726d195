// The sink that `elasticsearch` and `opensearch` have in common: opens a client, ships through it, and connects
// anew when the server stops to accept the credentials. Knows no client by name.
import { TaplineError } from "../core/errors.ts";
import { loaded } from "../core/loaded.ts";
import { LIMITS } from "../core/limits.ts";
import type { Context, EntryBatch, Sink, WriteResult } from "../core/stage.ts";
import type { Server } from "./connection.ts";
import { Shipper } from "./shipper.ts";

export class ClientSink implements Sink {
  readonly #connect: () => Promise<Server>;
  readonly #context: Context;
  readonly #leave_out: readonly string[];
  #server: Server | undefined;
  #shipper: Promise<Shipper> | undefined;

  constructor(connect: () => Promise<Server>, context: Context, leave_out: readonly string[]) {
    this.#connect = connect;
    this.#context = context;
    this.#leave_out = leave_out;
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.close();
    const shipper = await this.#shipperNow();
    await shipper.checkTemplate(signal);
  }

  async write(batch: EntryBatch, resent: boolean, signal: AbortSignal): Promise<WriteResult> {
    const opened = this.#shipperNow();
    try {
      return await (await opened).write(batch, resent, signal);
    } catch (error) {
      // The secret may have been changed meanwhile: the next call reads it again.
      const rejected = error instanceof TaplineError && error.code === "SINK_UNAUTHORIZED";
      if (rejected && this.#shipper === opened) await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#shipper = undefined;
    await server?.close();
  }

  #shipperNow(): Promise<Shipper> {
    if (this.#shipper !== undefined) return this.#shipper;
    const opening = this.#open();
    this.#shipper = opening;
    opening.catch(() => {
      if (this.#shipper === opening) this.#shipper = undefined;
    });
    return opening;
  }

  async #open(): Promise<Shipper> {
    const { default: PQueue } = await loaded("p-queue", () => import("p-queue"));
    const server = await this.#connect();
    this.#server = server;
    const queue = new PQueue({ concurrency: LIMITS.bulk_in_flight });
    return new Shipper(server, queue, this.#context, this.#leave_out);
  }
}
