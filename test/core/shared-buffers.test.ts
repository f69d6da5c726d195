// Memory that goes round between threads: used again, and no more of it kept than the bound.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { SharedBuffers } from "../../src/core/shared-buffers.ts";

const BYTES = 1_024;

test("what is given back is used again; memory of another kind or size is left alone", () => {
  const buffers = new SharedBuffers(BYTES);
  const first = buffers.take();
  buffers.give(Buffer.alloc(BYTES));
  buffers.give(new Uint8Array(new SharedArrayBuffer(BYTES * 2)));
  expect(buffers.take().buffer).not.toBe(first.buffer);
  buffers.give(first.subarray(10));
  expect(buffers.take().buffer).toBe(first.buffer);
});

test("a thread that is given what others make keeps no more than the bound", () => {
  const buffers = new SharedBuffers(BYTES);
  const given = Array.from(
    { length: LIMITS.buffers_free * 3 },
    () => new Uint8Array(new SharedArrayBuffer(BYTES)),
  );
  for (const view of given) buffers.give(view);
  const kept = new Set<ArrayBufferLike>(given.map((view) => view.buffer));
  let again = 0;
  for (let i = 0; i < given.length; i++) if (kept.has(buffers.take().buffer)) again++;
  expect(again).toBe(LIMITS.buffers_free);
});
