// VERIFY.md of a pack: how somebody who has nothing of Tapline checks the files, each drawn event up to a cosigned checkpoint, and
// what that does not show. Its commands are run by a test as they stand.
import { n, plural } from "../core/words.ts";
import { CHECK } from "./check-program.ts";
import type { Integrity, Report } from "./model.ts";

/** By whose key the manifest is signed. */
export type ManifestKey = "log" | "own" | undefined;

const PROGRAM_LINES = CHECK.split("\n").length - 1;
const LOG = "checkpoints/log.vkey";
export const MANIFEST_VKEY = "manifest.vkey";

export function verifyText(report: Report, key: ManifestKey): string {
  const { integrity, sample } = report;
  const keys = `${LOG}${integrity.cosigned === null ? "" : " checkpoints/witnesses.vkeys"}`;
  return `# How to check this pack

Nothing of Tapline is needed: \`python3\` (3.9 or later) and \`openssl\` 3 will do, or Go.

${keysText(integrity)}
Run the commands in the directory of the pack. Each ends with an error, and not with what it prints below, when something does not hold.

## 1. A checker of ${PROGRAM_LINES} lines, to be read

It checks signatures with openssl, and computes the path of an entry to a root as RFC 6962 says. It checks **Ed25519 signatures only** (C2SP types 1 and 4). Any other signature, and
one by a key that it was not given, it names as NOT CHECKED, and it counts for nothing. A wrong signature by a key that it was given is an error.

\`\`\`sh
cat > /tmp/check.py <<'EOF'
${CHECK}EOF
\`\`\`

## 2. The files are those of the manifest, and no other

${filesText(key)}
## 3. One event, up to the checkpoint

${sample.events.length === 0 ? "No event was drawn: nothing in the period is evidence for the controls of this report.\n" : eventText(report, keys)}
## 4. All events drawn, and the draw

\`\`\`sh
python3 /tmp/check.py sample ${keys}
\`\`\`

shows of every event that it is proven, that \`events.ndjson\` shows it to the last byte, and that the order is that of the draw: ${sample.algorithm} The seed is ${sample.seed}. The population of
each control is in \`report.json\`: the events of the period, before entry ${n(sample.covered)}, that answer the control's question, of the control's own strength. That these are all of them, and the counts on the pages,
**this pack cannot show**: whoever has the ledger can count and draw again. \`index.html\`, \`report.pdf\` and \`events.csv\` show the same events in an excerpt; what is in them rests on the manifest, the
entries in \`events.ndjson\` on the proofs.

## 5. History

\`\`\`sh
python3 /tmp/check.py checkpoints ${keys}
\`\`\`

\`checkpoints/\` holds \`checkpoint\` (the log's newest)${integrity.cosigned === null ? "" : ", `checkpoint.cosigned` (the newest that witnesses signed)"}${integrity.kept === 0 ? "" : ` and ${n(integrity.kept)} that anchors kept, named by size`}. That each is the beginning of the
next, only the ledger's files show, and not this pack: \`tapline ledger verify DIR --vkey ${LOG} --checkpoint checkpoints\`, or \`go run . DIR ${LOG} FILE.checkpoint\` in
\`verify/go\` of Tapline's sources. A stamp (\`.tsr\`) beside a checkpoint is checked with
\`openssl ts -verify -data FILE.checkpoint -in FILE.tsr -CAfile CA.pem\`, with the certificate that you got from the authority.
`;
}

function keysText({ vkey, earlier, cosigned }: Integrity): string {
  const witnesses =
    cosigned === null
      ? ""
      : ", the witnesses' keys from the witnesses in place of `checkpoints/witnesses.vkeys`";
  return `Everything here was handed over by those whose records it shows, this text too. So use **the log's key that you got by another way** in place of
\`${LOG}\`${witnesses}, and checkpoints that you kept yourself. The pack says that the log's key is

\`\`\`
${vkey}
\`\`\`
${earlier.length === 0 ? "" : earlierText(earlier)}`;
}

function earlierText(earlier: Integrity["earlier"]): string {
  const rows = earlier.map(
    ({ vkey, from, until }) =>
      `- \`${vkey}\`, from ${from ?? "the beginning"} until ${until ?? "a time that no entry tells"}`,
  );
  return `
and that it had ${plural(earlier.length, "key")} before, which may have signed what was kept then (times as the ledger tells them; they are in \`${LOG}\` below the current one). Take
one only where you know that it was the log's, and for no checkpoint that is newer than its end:

${rows.join("\n")}
`;
}

const runFiles = (keys: string): string => `\`\`\`sh
python3 /tmp/check.py files${keys}
\`\`\`
`;

function filesText(key: ManifestKey): string {
  const finds =
    "It names what was changed, what is missing, and what was added: a file that the manifest does not name is no part of the pack.";
  if (key === undefined)
    return `${runFiles("")}
${finds} The manifest of this pack is **not signed**: no key was at hand where it was made. Whoever had the pack could have changed
files and manifest alike. The proofs below do not rest on it.
`;
  const by =
    key === "log"
      ? "the log's key"
      : `a key of its own, \`${MANIFEST_VKEY}\`, which is not the log's: ask who made the pack for it by another way`;
  return `${runFiles(` ${key === "log" ? LOG : MANIFEST_VKEY}`)}
${finds} The manifest is signed with ${by}. It must print who signed.
`;
}

function eventText({ integrity, sample }: Report, keys: string): string {
  const shown = sample.events.find(({ witnesses }) => witnesses.length > 0) ?? sample.events[0]!;
  return `Each file in \`proofs/\` (C2SP tlog-proof) holds the entry, its place, its path to the root, and the checkpoint with all its signatures.

\`\`\`sh
python3 /tmp/check.py proof ${shown.proof} ${keys}
\`\`\`

It prints the entry as it was recorded, and who signed the checkpoint${integrity.cosigned === null ? ": no witness did" : ", the log and the witnesses"}. An entry that only the log signed rests on its key alone until a
later checkpoint is cosigned or kept by somebody else.

The same with Go's own code for transparency logs (\`golang.org/x/mod/sumdb\`), from \`verify/go\` of Tapline's sources:

\`\`\`
go run . -proof PACK/${shown.proof} PACK/${LOG}
\`\`\`
`;
}
