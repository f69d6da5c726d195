// Memory that goes round between the threads instead of being made for every batch: V8 counts private memory that is
// handed over as growth, and answers with collections of the whole heap. Knows nothing of what is in it.
import { LIMITS } from "./limits.ts";

export class SharedBuffers {
  readonly bytes: number;
  readonly #free: ArrayBufferLike[] = [];

  /** All have `bytes` bytes. */
  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** One that nobody uses; its content is what the last user left. */
  take(): Buffer {
    return Buffer.from(this.#free.pop() ?? new SharedArrayBuffer(this.bytes));
  }

  /** One that was given back, where there is any. */
  spare(): Uint8Array | undefined {
    const memory = this.#free.pop();
    return memory === undefined ? undefined : new Uint8Array(memory);
  }

  /** Gives the memory below a view back. Nobody may look at it any more. Memory of another kind is left alone, and so is
   * what is too much: one thread may get what another one makes for itself, again and again. */
  give(view: Uint8Array): void {
    if (this.#free.length >= LIMITS.buffers_free) return;
    if (isShared(view) && view.buffer.byteLength === this.bytes) this.#free.push(view.buffer);
  }
}

export function isShared(view: Uint8Array): boolean {
  return view.buffer instanceof SharedArrayBuffer;
}

/** What is to be handed over with views: those whose memory is private. */
export function transferable(...views: readonly Uint8Array[]): ArrayBuffer[] {
  return views.filter((view) => !isShared(view)).map((view) => view.buffer as ArrayBuffer);
}
