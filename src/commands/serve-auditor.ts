// `tapline serve-auditor`: one evidence pack in the browser, read-only, until it is stopped. Its pages open from a disk just as well.
import { isLoopback, listenAddress } from "../core/own-hosts.ts";
import { PackServer } from "../evidence/serve.ts";
import { type Command, UsageError, readArgs } from "./usage.ts";

export const serveAuditor: Command = {
  help: `usage: tapline serve-auditor DIR [--listen HOST:PORT]

  DIR        an evidence pack, as \`tapline report --out DIR\` wrote it; DIR/index.html opens without this, too
  --listen   address and port (default: 127.0.0.1:7426); it speaks no TLS and asks nobody who they are

Serves the files that the pack's manifest names and nothing else, each only while it is what the manifest says.`,
  async run(argv) {
    const options = { listen: { type: "string" } } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const [dir] = positionals;
    if (dir === undefined || positionals.length > 1) throw new UsageError("name one pack");
    const listen = listenAddress(values.listen ?? "127.0.0.1:7426");
    if (listen === undefined)
      throw new UsageError(
        `--listen takes an address and a port, such as 127.0.0.1:7426, not "${values.listen}"`,
      );
    const server = await PackServer.open(dir, listen);
    console.log(`serving     ${dir} at ${server.url}`);
    if (!isLoopback(listen.host))
      console.log(
        "note        whoever reaches this address reads the pack: put a proxy that speaks TLS in front",
      );
    await new Promise<void>((stop) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop());
    });
    await server.close();
    return 0;
  },
};
