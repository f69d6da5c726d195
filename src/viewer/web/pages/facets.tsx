// Values that are frequent among the hits: pressed, they narrow the search.
import type { JSX } from "preact";
import type { Facet } from "../../api.ts";
import { count } from "../figures.ts";
import { choose } from "../route.ts";
import { adding, term } from "../search.ts";
import { labelOf } from "../ui/events.tsx";
import { Text } from "../ui/text.tsx";

export function Facets({ facets, q }: { facets: readonly Facet[]; q: string }): JSX.Element {
  return (
    <section class="facets screen" aria-label="Narrow by">
      {facets
        .filter(({ values }) => values.length > 0)
        .map(({ field, values }) => (
          <div key={field}>
            <h3 title={field}>{labelOf(field)}</h3>
            <ul>
              {values.map(({ key, count: n }) => (
                <li key={String(key)}>
                  <button
                    type="button"
                    onClick={() => choose({ q: adding(q, term(field, key)), after: "" }, true)}
                  >
                    <Text of={String(key)} chars={60} />
                    <span class="number dim">{count(n)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        ))}
    </section>
  );
}
