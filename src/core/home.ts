// Where Tapline keeps what it keeps, unless told otherwise.
import { homedir } from "node:os";
import { join } from "node:path";

/** Directory of the ledger, keys, cursors, the spool and the store. */
export function stateHome(): string {
  return join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "tapline");
}
