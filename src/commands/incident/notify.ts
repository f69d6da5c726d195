// `tapline incident notify`: records that somebody was told of an incident, by whatever way.
import { randomBytes } from "node:crypto";
import { UsageError, readArgs, readConfig } from "../usage.ts";
import { dueOf } from "./say.ts";
import { incidentNamed, say } from "./shared.ts";

export async function notify(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    to: { type: "string", multiple: true },
    deadline: { type: "string" },
    note: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const recipients = values.to ?? [];
  if (recipients.length === 0) throw new UsageError("say who was told: --to WHOM");
  const config = await readConfig(values.config);
  const { incident } = await incidentNamed(config, positionals[0]);
  if (values.deadline !== undefined) dueOf(config, incident, values.deadline);
  const id = randomBytes(16).toString("hex");
  const notice = { id, channel: "other", recipients, delivered: true };
  const { deadline: meets, note } = values;
  await say(config, incident, { transition: "notified", notice, meets, note }, values.json === true);
  return 0;
}
