// The servers that have users, with the roles that `tapline setup` makes for who ships and for who anchors. Several files of
// tests use them; whichever comes first starts them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planCheckpoints } from "../../src/sinks/checkpoint-setup.ts";
import { plan } from "../../src/sinks/setup-plan.ts";
import { type Secured, startSecured } from "./servers.ts";

// One server refuses passwords that are weak.
export const ANCHOR = ["checkpoints", "Add-0nly-Nothing-Else"] as const;
export const SHIPPER = ["shipper", "Sh1p-0nly-Nothing-Else"] as const;

export const securedOpenSearch = (): Promise<Secured | undefined> => startSecured("opensearch");

/** This distribution cannot keep roles that come over its API: it gets those that `setup` sends as a file. */
export async function securedElasticsearch(): Promise<Secured | undefined> {
  const dir = mkdtempSync(join(tmpdir(), "tapline-roles-"));
  const file = join(dir, "roles.yml");
  const parts = [...planCheckpoints("elasticsearch"), ...(await plan("elasticsearch", 400))];
  const roles = ["tapline_checkpoint_writer", "tapline_writer"].map((name) => {
    const { body } = parts.find((part) => part.name === `role ${name}`)!;
    return `${name}: ${JSON.stringify(body)}\n`;
  });
  writeFileSync(file, roles.join(""));
  const users = `${ANCHOR.join(":")}:tapline_checkpoint_writer ${SHIPPER.join(":")}:tapline_writer`;
  try {
    return await startSecured("elasticsearch8", { ROLES: file, USERS: users });
  } finally {
    rmSync(dir, { recursive: true });
  }
}
