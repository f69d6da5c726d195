// `tapline setup elasticsearch|opensearch`: installs templates, lifecycle, roles and monitors, and dashboards in a front
// end; says what the server cannot have.
import { sinksOf } from "../components.ts";
import { type Config, parseConfig } from "../config.ts";
import { planCheckpoints } from "../sinks/checkpoint-setup.ts";
import { type FrontEndResult, installDashboards, planFrontEnd } from "../sinks/front-end.ts";
import { type SetupResult, connect, setup as install, setupCheckpoints } from "../sinks/setup.ts";
import { ENGINES, type Engine, LIFECYCLE, type Part, isEngine, plan } from "../sinks/setup-plan.ts";
import { type Command, UsageError, readArgs, readConfig, readNumber } from "./usage.ts";

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
  help: `usage: tapline setup elasticsearch|opensearch [--url URL] [--dashboards-url URL] [-c FILE] [--retention-days N] [--print] [--allow-missing] [--json]
       tapline setup elasticsearch|opensearch --checkpoints [--url URL] [-c FILE] [--print] [--allow-missing] [--json]

  --url URL            server (default: that of the sink in the configuration, with its credentials)
  --dashboards-url URL front end, Kibana or OpenSearch Dashboards, with its base path: the dashboards go there, with the
                       credentials of the sink; what has the same ids is replaced
  --retention-days N   delete documents after N days (default ${RETENTION_DAYS})
  --checkpoints        only what an anchor of that type needs in a cluster of somebody else's: an index, and a role that can add
                       to it, and neither change nor remove
  --print              show the requests and send nothing
  --allow-missing      exit 0 although the server cannot do everything

Exit code 1 when something was left out.`,
  async run(argv) {
    const options = {
      config: { type: "string", short: "c" },
      url: { type: "string" },
      "dashboards-url": { type: "string" },
      "retention-days": { type: "string" },
      checkpoints: { type: "boolean" },
      print: { type: "boolean" },
      "allow-missing": { type: "boolean" },
      json: { type: "boolean" },
    } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const [engine = ""] = positionals;
    if (!isEngine(engine)) throw new UsageError(`name the engine: ${ENGINES.join(" or ")}`);
    const days = readNumber(values["retention-days"], "--retention-days") ?? RETENTION_DAYS;
    const frontEnd = frontEndUrl(values["dashboards-url"]);
    const checkpoints = values.checkpoints === true;
    if (checkpoints && (frontEnd ?? values["retention-days"]) !== undefined)
      throw new UsageError("--checkpoints goes with neither --dashboards-url nor --retention-days");
    if (values.print === true && checkpoints)
      return printParts(planCheckpoints(engine), values.json === true);
    if (values.print === true) return print(engine, days, values.json === true);
    const config = await readConfig(values.config);
    const connected = connection(config, engine, values.url) as never;
    const server = await connect(engine, connected);
    const signal = AbortSignal.timeout(SETUP_MS);
    const result = checkpoints
      ? await setupCheckpoints(engine, server, signal)
      : await install(engine, server, { retention_days: days, signal });
    // Told before the front end is asked: what is in place is in place, whatever it answers.
    if (values.json !== true) tell(result);
    const lifecycle = result.installed.includes(LIFECYCLE);
    const dashboards =
      frontEnd === undefined
        ? undefined
        : await installDashboards(engine, connected, frontEnd, { retention_days: days, lifecycle }, signal);
    if (values.json === true) console.log(JSON.stringify({ ...result, dashboards }));
    else tellDashboards(dashboards);
    const left = result.missing.length + (dashboards?.failed.length ?? 0);
    return left === 0 || values["allow-missing"] === true ? 0 : 1;
  },
};

function frontEndUrl(text: string | undefined): string | undefined {
  const url = text === undefined ? undefined : URL.parse(text);
  const plain =
    url === undefined || (url !== null && /^https?:$/.test(url.protocol) && url.search + url.hash === "");
  if (!plain) throw new UsageError("--dashboards-url: an http or https URL, without query and fragment");
  if ((url?.username ?? "") !== "")
    throw new UsageError("--dashboards-url: a URL without user and password: those of the sink are used");
  return text;
}

/** Shows what would be sent. Of the dashboards it names the file, which is too long to be read here. */
async function print(engine: Engine, days: number, json: boolean): Promise<number> {
  const parts = await plan(engine, days);
  const { file, path, objects } = await planFrontEnd(engine);
  if (json) {
    const names = objects.map(({ type, id }) => `${type}:${id}`);
    const dashboards = { method: "POST", name: "dashboards", path, file, objects: names };
    console.log(JSON.stringify([...parts.map((part) => ({ method: methodOf(part), ...part })), dashboards]));
    return 0;
  }
  printParts(parts, false);
  console.log(`# dashboards, with --dashboards-url\nPOST ${path}\n${file}`);
  for (const { type, id, attributes } of objects) console.log(`${type} ${id}: ${attributes.title ?? ""}`);
  return 0;
}

function printParts(parts: readonly Part[], json: boolean): number {
  if (json) console.log(JSON.stringify(parts.map((part) => ({ method: methodOf(part), ...part }))));
  else
    for (const part of parts)
      console.log(
        `# ${part.name}\n${methodOf(part)} ${part.path}\n${JSON.stringify(part.body, undefined, 2)}\n`,
      );
  return 0;
}

function tell(result: SetupResult): void {
  console.log(`server      ${result.server}`);
  for (const name of result.installed) console.log(`installed   ${name}`);
  for (const { name, reason } of result.missing) console.log(`MISSING     ${name}: ${reason}`);
}

function tellDashboards(dashboards: FrontEndResult | undefined): void {
  if (dashboards === undefined) {
    console.log("left out    dashboards: name the front end with --dashboards-url");
    return;
  }
  const counts = Object.entries(dashboards.objects).map(([type, count]) => `${count} ${type}`);
  console.log(`front end   ${dashboards.url}: ${counts.join(", ")}`);
  for (const title of dashboards.dashboards) console.log(`installed   dashboard ${title}`);
  for (const { name, reason } of dashboards.failed) console.log(`FAILED      ${name}: ${reason}`);
}
