// "Did you mean": the known word that is nearest to one that is not known.

const EDITS_MAX = 2;

/** The known word at most two edits away, if there is one. */
export function closest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = EDITS_MAX + 1;
  for (const candidate of known) {
    const distance = edits(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[b.length]!;
}
