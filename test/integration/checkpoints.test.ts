// Checkpoints in servers that have users and roles: the credential of the anchor can add, and neither change nor remove. Two
// servers more, which take minutes to start: full runs only.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { planCheckpoints } from "../../src/sinks/checkpoint-setup.ts";
import { WRITER, as, checkpointSuite } from "./checkpoints.ts";
import { startSecured } from "./servers.ts";

if (process.env["TAPLINE_FULL"] === undefined) {
  console.warn("skipping the tests against servers that have users: set TAPLINE_FULL=1 to run them");
  test.skip("checkpoints in servers that have users: full runs only", () => {});
} else {
  const open = await startSecured("opensearch");
  checkpointSuite(
    "OpenSearch 3 with users",
    "opensearch",
    open && {
      admin: as(open.url, open.username, open.password, open.ca_file),
      writer: as(open.url, ...WRITER, open.ca_file),
      users: true,
    },
  );
  // This distribution cannot keep roles that come over its API: it gets the one that `setup` sends as a file.
  const dir = mkdtempSync(join(tmpdir(), "tapline-roles-"));
  const roles = join(dir, "roles.yml");
  const role = planCheckpoints("elasticsearch").find(({ name }) => name.startsWith("role"))!;
  writeFileSync(roles, `tapline_checkpoint_writer: ${JSON.stringify(role.body)}\n`);
  const elastic = await startSecured("elasticsearch8", {
    ROLES: roles,
    USERS: `${WRITER.join(":")}:tapline_checkpoint_writer`,
  });
  rmSync(dir, { recursive: true });
  checkpointSuite(
    "Elasticsearch 8 with users",
    "elasticsearch",
    elastic && {
      admin: as(elastic.url, elastic.username, elastic.password),
      writer: as(elastic.url, ...WRITER),
      users: true,
    },
  );
}
