// Readers that wait for durable entries. Each waits once, until there are more, its signal aborts, its time is over,
// or all are let go.

interface Waiter {
  readonly beyond: number;
  readonly done: () => void;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Resolves when woken with more than `beyond` entries, when let go, when the signal aborts, or after `most_ms`. Never
   * rejects. */
  wait(beyond: number, signal: AbortSignal, most_ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = most_ms === undefined ? undefined : setTimeout(() => done(), most_ms);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter = { beyond, done };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", done);
    });
  }

  /** There are `durable` entries now. */
  wake(durable: number): void {
    for (const waiter of this.#waiting) if (durable > waiter.beyond) waiter.done();
  }

  letGo(): void {
    for (const waiter of this.#waiting) waiter.done();
  }
}
