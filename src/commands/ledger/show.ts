// `tapline ledger show`: entries as sinks get them, one JSON document a line. Proves nothing: `prove` and `verify` do.
import { once } from "node:events";
import { walkAll } from "../../ledger/walk.ts";
import { documentLines } from "../../sinks/document.ts";
import { UsageError, readArgs, readNumber } from "../usage.ts";
import { indexOf, readerOf } from "./named.ts";

export async function show(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    from: { type: "string" },
    to: { type: "string" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const part = values.from !== undefined || values.to !== undefined;
  const named = part ? undefined : positionals[0];
  const dirs = positionals.slice(part ? 0 : 1);
  if ((!part && named === undefined) || dirs.length > 1)
    throw new UsageError("name one event, by its id or its index, or a part by --from and --to");
  const { reader } = await readerOf(dirs[0], values.config);
  try {
    const one = named === undefined ? undefined : await indexOf(reader, named);
    const from = one ?? readNumber(values.from, "--from") ?? (await reader.first());
    const to = one === undefined ? (readNumber(values.to, "--to") ?? (await reader.size())) : one + 1;
    if (from > to) throw new UsageError(`--to ${to} is before --from ${from}`);
    // Persons' sealed fields stay sealed: this shows what the ledger holds.
    for await (const batch of walkAll(reader, from, to)) {
      const enough = process.stdout.write(documentLines(batch));
      batch.release?.();
      if (!enough) await once(process.stdout, "drain");
    }
    return 0;
  } finally {
    await reader.close();
  }
}
