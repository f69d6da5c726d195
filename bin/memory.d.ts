/** Starts over in the same process with bounds for its memory, unless it has some. */
export function boundMemory(): void;
