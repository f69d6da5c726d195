// Parts of the health page that read what a collector said of itself, whatever version it is of.
import type { JSX } from "preact";
import { count } from "../figures.ts";
import { Holds } from "../ui/badges.tsx";
import { Text } from "../ui/text.tsx";

export type Json = Readonly<Record<string, unknown>>;

export const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const number = (value: unknown): number => (typeof value === "number" ? value : 0);

export const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function Sinks({ sinks }: { sinks: readonly Json[] }): JSX.Element {
  const columns = ["created", "existing", "dead", "filtered", "pending"] as const;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sinks">
      <table>
        <thead>
          <tr>
            <th scope="col">Sink</th>
            <th scope="col" class="number">
              New
            </th>
            <th scope="col" class="number">
              Already there
            </th>
            <th scope="col" class="number">
              Dead letters
            </th>
            <th scope="col" class="number">
              Filtered
            </th>
            <th scope="col" class="number">
              Pending
            </th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {sinks.map((sink) => (
            <tr key={text(sink["name"])}>
              <th scope="row">
                <Text of={text(sink["name"])} chars={80} />
              </th>
              {columns.map((name) => (
                <td class="number" key={name}>
                  {count(number(sink[name]))}
                </td>
              ))}
              <td>
                {typeof sink["trouble"] === "string" ? (
                  <>
                    <Holds good={false}>Held up</Holds> <Text of={sink["trouble"]} />
                  </>
                ) : (
                  <Holds good>{number(sink["pending"]) === 0 ? "Caught up" : "Moving"}</Holds>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Counts that are not 0, and that the others are. */
export function Pairs({ of }: { of: Json }): JSX.Element {
  const pairs = Object.entries(of).filter(
    ([, value]) => typeof value === "number" || typeof value === "string",
  );
  const told = pairs.filter(([, value]) => value !== 0);
  const none = pairs.filter(([, value]) => value === 0).map(([name]) => name.replaceAll("_", " "));
  return (
    <>
      <dl class="facts">
        {told.map(([name, value]) => (
          <>
            <dt key={name}>
              <Text of={name.replaceAll("_", " ")} chars={60} />
            </dt>
            <dd class="number">{typeof value === "number" ? count(value) : <Text of={String(value)} />}</dd>
          </>
        ))}
      </dl>
      {none.length > 0 && (
        <p class="dim">
          0: <Text of={none.join(", ")} chars={1000} />
        </p>
      )}
    </>
  );
}
