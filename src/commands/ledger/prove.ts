// `tapline ledger prove`: writes a C2SP tlog-proof of one entry, under the newest checkpoint that covers it, a cosigned one
// if there is one. What it writes has been checked.
import { placeFile } from "../../ledger/files.ts";
import { proveEntry } from "../../ledger/prove.ts";
import { UsageError, readArgs } from "../usage.ts";
import { indexOf, readerOf } from "./named.ts";

export async function prove(argv: readonly string[]): Promise<number> {
  const options = { config: { type: "string", short: "c" }, out: { type: "string" } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [named] = positionals;
  if (named === undefined || positionals.length > 2)
    throw new UsageError("name one event, by its id or its index");
  const { reader, dir } = await readerOf(positionals[1], values.config);
  try {
    const index = await indexOf(reader, named);
    const text = await proveEntry(dir, reader, index);
    if (values.out === undefined) process.stdout.write(text);
    else {
      await placeFile(values.out, [Buffer.from(text)], { sync: true });
      console.error(`proof of entry ${index} in ${values.out}`);
    }
    return 0;
  } finally {
    await reader.close();
  }
}
