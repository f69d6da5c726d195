// `tapline ledger serve`: publishes a ledger over HTTP, read-only, until it is stopped. May run beside the collector, or on
// a copy.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Bearer } from "../../core/bearer.ts";
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { isLoopback, listenAddress } from "../../core/own-hosts.ts";
import { parseVerifier } from "../../ledger/note.ts";
import { VKEY } from "../../ledger/paths.ts";
import { LedgerServer } from "../../ledger/serve.ts";
import { UsageError, readArgs, readConfig } from "../usage.ts";

export async function serve(argv: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string", short: "c" },
    listen: { type: "string" },
    host: { type: "string", multiple: true },
    "token-file": { type: "string" },
    "token-env": { type: "string" },
  } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  if (positionals.length > 1) throw new UsageError("one ledger at a time");
  const dir = positionals[0] ?? join((await readConfig(values.config)).state_dir, "ledger");
  const listen = listenAddress(values.listen ?? "127.0.0.1:4320");
  if (listen === undefined)
    throw new UsageError(
      `--listen takes an address and a port, such as 127.0.0.1:4320, not "${values.listen}"`,
    );
  const bearer = await Bearer.read({ token_file: values["token-file"], token_env: values["token-env"] });
  const { name } = parseVerifier(await keyIn(dir));
  const server = new LedgerServer({ dir, listen, hosts: values.host ?? [], bearer });
  await server.open();
  console.log(`serving     ${name} at ${server.url}`);
  console.log(
    `entries     ${bearer === undefined ? "kept back: no token was named" : "to who shows the token"}`,
  );
  if (bearer !== undefined && !isLoopback(listen.host))
    console.log("note        the token crosses the network as it is: put a proxy that speaks TLS in front");
  await new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop());
  });
  await server.close();
  return 0;
}

async function keyIn(dir: string): Promise<string> {
  try {
    return await readFile(join(dir, VKEY), "utf8");
  } catch (cause) {
    throw new TaplineError("NO_SUCH_PATH", `no ledger in ${dir}: ${reasonOf(cause)}`, {
      remedy: "name the directory of a ledger",
    });
  }
}
