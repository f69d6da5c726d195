// Controls of ISO/IEC 42001 that a rule bears on, by its tags: an alert is evidence for these too.
import type { Event } from "../core/generated/event.ts";

const CONTROL = /^A\.\d{1,2}(?:\.\d{1,2}){1,2}$/;

/** `iso42001.a.7.5` → A.7.5. */
export function controlsNamed(tags: readonly string[]): string[] {
  const out = new Set<string>();
  for (const tag of tags) {
    const [namespace, ...rest] = tag.toUpperCase().split(".");
    const control = rest.join(".").replaceAll(/[-_]/g, ".");
    if (namespace === "ISO42001" && CONTROL.test(control)) out.add(control);
  }
  return [...out];
}

/** Adds the controls of a rule's tags to those of every alert. They are in support: what is direct evidence is the event
 * that the alert is about. */
export function addControls(alert: Event, tags: readonly string[]): void {
  const all = alert["tapline.control.iso42001"] ?? [];
  const more = controlsNamed(tags).filter((control) => !all.includes(control));
  if (more.length === 0) return;
  alert["tapline.control.iso42001"] = [...all, ...more].toSorted();
  alert["tapline.control.supporting"] = [...(alert["tapline.control.supporting"] ?? []), ...more];
}
