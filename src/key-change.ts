// Records that the ledger's key was changed, and that the key before it signs no more: once each, whenever that is seen.
import { join } from "node:path";
import type { Config } from "./config.ts";
import { reasonOf } from "./core/errors.ts";
import type { Log } from "./core/log.ts";
import { type Rotation, endRotation, readRotation, writeRotation } from "./ledger/rotation.ts";
import type { SelfRecorder } from "./self.ts";

interface Parts {
  readonly config: Config;
  readonly self: SelfRecorder;
  readonly pipeline: { record(): Promise<void> };
  readonly log: Log;
}

export async function tellKeyChange({ config, self, pipeline, log }: Parts): Promise<void> {
  const dir = join(config.state_dir, "ledger");
  try {
    const rotation = await readRotation(dir);
    if (rotation === undefined || rotation.told === "end") return;
    if (rotation.told === undefined) {
      add(
        self,
        rotation,
        `the ledger's key is ${rotation.to}, and was ${rotation.from}${untilSaid(rotation)}`,
      );
      await pipeline.record();
      await writeRotation(dir, { ...rotation, told: "change" });
    }
    if (rotation.until_ms === 0 || rotation.until_ms > Date.now()) return;
    await endRotation(dir);
    add(self, rotation, `the ledger's key before, ${rotation.from}, signs no more and was removed`);
    await pipeline.record();
    await writeRotation(dir, { ...rotation, told: "end" });
  } catch (error) {
    log("error", `the change of the ledger's key is not recorded: ${reasonOf(error)}`);
  }
}

function untilSaid({ until_ms }: Rotation): string {
  return until_ms === 0 ? "" : `, which signs too until ${new Date(until_ms).toISOString()}`;
}

function add(self: SelfRecorder, rotation: Rotation, message: string): void {
  self.add("config-change", message, (e) => {
    e["tapline.change.kind"] = "changed";
    e["tapline.change.before"] = rotation.from;
    e["tapline.change.after"] = rotation.to;
  });
}
