// What the inventory knows of an event, for enrichment: handed in by whoever reads the policy. Types alone.
import type { Event } from "./generated/event.ts";
import type { ToolClass } from "./generated/tools.ts";

export interface Inventory {
  /** What the inventory says that a tool does with data; `server` is missing for tools of the agent itself. */
  toolClass(server: string | undefined, tool: string): ToolClass | undefined;
  /** Whether what started a server is sanctioned; undefined where that is not known. */
  sanctioned(name: string, command: string | undefined, url: string | undefined): boolean | undefined;
  /** Labels of the data that the event's call reaches; undefined for none. */
  labels(e: Event): string[] | undefined;
}
