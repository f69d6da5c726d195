// Fields that the inventory gives to an event: what the tool does with data, whether its server is sanctioned, how the
// data that the call reaches is classified. After enrich.ts, whose guesses it overrules.
import type { Event } from "../core/generated/event.ts";
import type { Inventory } from "../core/inventory.ts";

export function fromInventory(e: Event, inventory: Inventory): void {
  const server = e["tapline.server.name"];
  const tool = e["gen_ai.tool.name"];
  if (tool !== undefined) {
    const found = inventory.toolClass(server, tool);
    if (found !== undefined) e["tapline.tool.class"] = found;
  }
  if (server !== undefined) {
    const [command, url] = [e["tapline.server.command"], e["tapline.server.url"]];
    e["tapline.server.sanctioned"] = inventory.sanctioned(server, command, url);
  }
  e["tapline.data.classification"] = inventory.labels(e);
}
