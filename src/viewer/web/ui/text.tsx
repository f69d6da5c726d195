// The only ways in which recorded text gets onto a page: text nodes in an element that keeps its direction to itself, with
// marks for what cannot be seen. Never a link, never markup.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { cut, pieces, visible } from "../text.ts";

const CELL_CHARS = 300;
/** Not broken over lines: names and the like. */
const SHORT_CHARS = 26;
/** Common enough to be shown by a sign of its own. */
const LINE_FEED = "U+000A";
const BLOCK_CHARS = 4000;

const drawn = (text: string, lines: boolean): JSX.Element[] =>
  pieces(text, lines).map((piece, i) =>
    piece.mark === undefined ? (
      <span key={i}>{piece.text}</span>
    ) : (
      <span key={i} class={piece.mark === LINE_FEED ? "mark faint" : "mark"} title={piece.name}>
        {piece.mark === LINE_FEED ? "↵" : piece.mark}
      </span>
    ),
  );

/** One line of recorded text. */
export function Text({ of, chars = CELL_CHARS }: { of: string | undefined; chars?: number }): JSX.Element {
  if (of === undefined || of === "") return <span class="none">–</span>;
  const short = cut(of, chars);
  return (
    <bdi
      class={short.length <= SHORT_CHARS ? "recorded short" : "recorded"}
      title={short.length < of.length ? visible(cut(of, BLOCK_CHARS)) : undefined}
    >
      {drawn(short, false)}
      {short.length < of.length && <span class="dim">…</span>}
    </bdi>
  );
}

/** A block of recorded text, its lines kept; long ones open on demand. */
export function Block({ of, label }: { of: string; label: string }): JSX.Element {
  const [whole, show] = useState(false);
  const short = whole ? of : cut(of, BLOCK_CHARS);
  return (
    <div class="block">
      <pre tabIndex={0} role="group" aria-label={label}>
        <bdi>{drawn(short, true)}</bdi>
      </pre>
      {short.length < of.length && (
        <button type="button" class="plain" onClick={() => show(true)}>
          Show all {of.length.toLocaleString("en")} characters
        </button>
      )}
    </div>
  );
}
