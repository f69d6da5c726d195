// What a test spends of the processor. Bounds on time are put on this, since a busy machine does not change it much.

/** CPU time of this process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
