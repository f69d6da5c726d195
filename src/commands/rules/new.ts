// `tapline rules new AREA NAME`: a rule and its proof to begin with. What it writes passes lint and test.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { TaplineError, reasonOf } from "../../core/errors.ts";
import { fromMs } from "../../core/time.ts";
import { proofPath } from "../../detect/prove.ts";
import { TACTIC_NAMES } from "../../detect/threat.ts";
import { UsageError, readArgs } from "../usage.ts";
import { writeOut } from "./output.ts";

const WORD = /^[a-z][a-z0-9_]*$/;

/** `exfiltration_post_elsewhere` → `Post Elsewhere`, tagged with the tactic that the name begins with. */
function nameParts(name: string): { title: string; tactic: string | undefined } {
  const tactic = TACTIC_NAMES.map((known) => known.replaceAll("-", "_")).find((known) =>
    name.startsWith(`${known}_`),
  );
  const words = (tactic === undefined ? name : name.slice(tactic.length + 1)).split("_");
  const title = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");
  return { title, tactic: tactic?.replaceAll("_", "-") };
}

function ruleText(title: string, tactic: string | undefined): string {
  return `title: ${title}
id: ${randomUUID()}
status: experimental
description: A tool sends arguments to example.net. Say what the rule sees, and what to look at next.
references:
    - https://atlas.mitre.org/techniques/AML.T0053
author: ''
date: ${fromMs(Date.now())!.slice(0, 10)}
tags:
${tactic === undefined ? "" : `    - attack.${tactic}\n`}    - atlas.t0053
logsource:
    product: tapline
    category: tool-call
detection:
    selection:
        gen_ai.tool.call.arguments|contains: example.net
    filter_read:
        gen_ai.tool.name|startswith: read
    condition: selection and not filter_read
falsepositives:
    - Say who does this for a good reason.
level: low
`;
}

const PROOF = `match:
    - {gen_ai.tool.name: send, gen_ai.tool.call.arguments: {to: 'https://example.net/in'}}
miss:
    - {gen_ai.tool.name: send, gen_ai.tool.call.arguments: {to: 'https://example.com/in'}}
    - {gen_ai.tool.name: read_page, gen_ai.tool.call.arguments: {url: 'https://example.net/'}}
`;

export async function create(argv: readonly string[]): Promise<number> {
  const options = { dir: { type: "string", default: "." } } as const;
  const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
  const [area, name] = positionals;
  if (area === undefined || name === undefined || positionals.length > 2)
    throw new UsageError("name an area and a rule");
  for (const word of [area, name]) {
    if (!WORD.test(word))
      throw new UsageError(`"${word}" is not a name: small letters, digits and _, a letter first`);
  }
  const dir = join(values.dir, area);
  const path = join(dir, `${name}.yml`);
  for (const file of [path, proofPath(path)]) {
    if (existsSync(file))
      throw new TaplineError("FILE_EXISTS", `${file} is there already`, { remedy: "take another name" });
  }
  const { title, tactic } = nameParts(name);
  try {
    await mkdir(dir, { recursive: true });
  } catch (cause) {
    throw new TaplineError("CANNOT_WRITE", `cannot make ${dir}: ${reasonOf(cause)}`, { cause });
  }
  await writeOut(path, ruleText(title, tactic), "wx");
  await writeOut(proofPath(path), PROOF, "wx");
  console.log(`${path}\n${proofPath(path)}`);
  return 0;
}
