// Text panels of the dashboards' definitions, which are ours: paragraphs, bold, emphasis, code, tables, and links to other dashboards. Makes
// elements, never HTML; a link that leads elsewhere stays text.
import type { JSX } from "preact";
import { href } from "../route.ts";

const TOKEN = /\*\*(.+?)\*\*|\*([^*]+)\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)/g;

function linkTo(target: string): string | undefined {
  const dashboard = /^#\/view\/tapline-([a-z0-9-]+)$/.exec(target);
  if (dashboard === null) return undefined;
  return dashboard[1] === "terms" ? href(["terms"]) : href(["dashboards", dashboard[1]!]);
}

function inline(text: string): (string | JSX.Element)[] {
  const out: (string | JSX.Element)[] = [];
  let from = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index > from) out.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    const [, bold, emphasis, code, label, target] = found;
    if (bold !== undefined) out.push(<strong>{bold}</strong>);
    else if (emphasis !== undefined) out.push(<em>{emphasis}</em>);
    else if (code !== undefined) out.push(<code>{code}</code>);
    else {
      const to = linkTo(target!);
      out.push(to === undefined ? label! : <a href={to}>{label}</a>);
    }
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

const cells = (line: string): string[] =>
  line
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());

function Table({ lines }: { lines: readonly string[] }): JSX.Element {
  const [head = "", , ...rows] = lines;
  return (
    <table>
      <thead>
        <tr>
          {cells(head).map((cell, i) => (
            <th scope="col" key={i}>
              {inline(cell)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, r) => (
          <tr key={r}>
            {cells(row).map((cell, i) => (
              <td key={i}>{inline(cell)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Markdown({ of }: { of: string }): JSX.Element {
  return (
    <div class="body words">
      {of.split(/\n{2,}/).map((block, i) => {
        const lines = block.trim().split("\n");
        return lines[0]?.startsWith("|") === true ? (
          <Table key={i} lines={lines} />
        ) : (
          <p key={i}>{lines.flatMap((line) => [...inline(line), " "])}</p>
        );
      })}
    </div>
  );
}
