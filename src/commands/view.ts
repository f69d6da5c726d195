// `tapline view`: the link of the viewer that a collector serves, or a viewer of its own over a store that nobody fills.
import { readFileSync } from "node:fs";
import { TaplineError } from "../core/errors.ts";
import { alive } from "../core/lock.ts";
import { type Links, linksPath, startViewer } from "../viewer/start.ts";
import { type Command, ledgerDir, readArgs, readConfig } from "./usage.ts";

/** Links of a viewer that runs. */
function runningLinks(state_dir: string): Links | undefined {
  try {
    const links = JSON.parse(readFileSync(linksPath(state_dir), "utf8")) as Links;
    return alive(links.pid) ? links : undefined;
  } catch {
    return undefined;
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}

export const view: Command = {
  help: `usage: tapline view [-c FILE] [--reader]

  --reader   the link for somebody who may look, and neither act nor export

Prints the link of the viewer that \`tapline run\` serves. When none runs, serves one until stopped: what is done in it
waits for a collector to be recorded.`,
  async run(argv) {
    const options = { config: { type: "string", short: "c" }, reader: { type: "boolean" } } as const;
    const { values } = readArgs(argv, { options });
    const config = await readConfig(values.config);
    const shown = (links: Links): string => (values.reader === true ? links.reader : links.owner);
    const running = runningLinks(config.state_dir);
    if (running !== undefined) {
      console.log(shown(running));
      return 0;
    }
    ledgerDir(config);
    const started = await startViewer(config, (problem) => console.error(`problem     ${problem}`));
    if (started === undefined) {
      throw new TaplineError("NO_VIEWER", "there is no viewer for this configuration", {
        remedy: "give it a sink of type store, and see what is printed above",
      });
    }
    const stopped = untilStopped();
    console.log(shown(started.links));
    console.error(
      "serving     until Ctrl-C: no collector runs, so what is done waits for one to be recorded",
    );
    await stopped;
    await started.close();
    return 0;
  },
};
