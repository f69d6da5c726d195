// The clock that waits are measured by. Stamps are of the system's own clock.

/** The time of `now`, but never less than it was: where that clock is set back, this one goes on from where it stood, so that
 * what is due in a while is not due in days. */
export function steadyClock(now: () => number): () => number {
  let last = now();
  let ahead = 0;
  return () => {
    const time = now() + ahead;
    if (time < last) ahead += last - time;
    last = Math.max(last, time);
    return last;
  };
}
