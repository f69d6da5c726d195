// `tapline setup elasticsearch|opensearch`: installs templates, lifecycle, roles and monitors; says what the server cannot have.
import { sinksOf } from "../components.ts";
import { type Config, parseConfig } from "../config.ts";
import { type Engine, type Part, connect, plan, setup as install } from "../sinks/setup.ts";
import { type Command, UsageError, readArgs, readConfig, readNumber } from "./usage.ts";

const ENGINES: readonly string[] = ["elasticsearch", "opensearch"];
const SETUP_MS = 120_000;
const RETENTION_DAYS = 400;

/** Connection options: of the sink of that type in the configuration, with --url in place of its own. */
function connection(config: Config, engine: Engine, url: string | undefined): unknown {
  const found = sinksOf(config).find(([, typed]) => typed.type === engine)?.[1];
  if (found === undefined && url === undefined) {
    throw new UsageError(`no ${engine} sink in the configuration: name the server with --url`);
  }
  const urls = url === undefined ? {} : { url };
  const options = { ...(found ?? { type: engine }), ...urls };
  return parseConfig(JSON.stringify({ sinks: { [engine]: options } }), "options").sinks[engine];
}

const methodOf = ({ named }: Part): string => (named === undefined ? "PUT" : "POST");

export const setup: Command = {
  about: "install templates, lifecycle, roles and monitors in a cluster",
  help: `usage: tapline setup elasticsearch|opensearch [--url URL] [-c FILE] [--retention-days N] [--print] [--allow-missing] [--json]

  --url URL            server (default: that of the sink in the configuration, with its credentials)
  --retention-days N   delete documents after N days (default ${RETENTION_DAYS})
  --print              show the requests and send nothing
  --allow-missing      exit 0 although the server cannot do everything

Exit code 1 when something was left out.`,
  async run(argv) {
    const options = {
      config: { type: "string", short: "c" },
      url: { type: "string" },
      "retention-days": { type: "string" },
      print: { type: "boolean" },
      "allow-missing": { type: "boolean" },
      json: { type: "boolean" },
    } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const engine = positionals[0] as Engine;
    if (!ENGINES.includes(engine)) throw new UsageError(`name the engine: ${ENGINES.join(" or ")}`);
    const days = readNumber(values["retention-days"], "--retention-days") ?? RETENTION_DAYS;
    if (values.print === true) {
      const parts = await plan(engine, days);
      if (values.json === true) {
        console.log(JSON.stringify(parts.map((part) => ({ method: methodOf(part), ...part }))));
        return 0;
      }
      for (const part of parts) {
        console.log(
          `# ${part.name}\n${methodOf(part)} ${part.path}\n${JSON.stringify(part.body, undefined, 2)}\n`,
        );
      }
      return 0;
    }
    const config = await readConfig(values.config);
    const server = await connect(engine, connection(config, engine, values.url) as never);
    const result = await install(engine, server, {
      retention_days: days,
      signal: AbortSignal.timeout(SETUP_MS),
    });
    if (values.json === true) console.log(JSON.stringify(result));
    else {
      console.log(`server      ${result.server}`);
      for (const name of result.installed) console.log(`installed   ${name}`);
      for (const { name, reason } of result.missing) console.log(`MISSING     ${name}: ${reason}`);
    }
    return result.missing.length === 0 || values["allow-missing"] === true ? 0 : 1;
  },
};
