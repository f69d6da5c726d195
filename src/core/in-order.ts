// Works that must not overlap: one at a time, in the order of the calls. One that fails does not stop the next.

export class InOrder {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** When nothing is under way or waits. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
