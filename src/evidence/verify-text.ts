// VERIFY.md of a pack: how somebody who has nothing of Tapline checks a drawn event up to a cosigned checkpoint. Its commands
// are run by a test as they stand.
import { n } from "../core/words.ts";
import type { Report } from "./model.ts";

/** Some lines of Python on its standard library and openssl, to be read before they are run. */
const CHECK = `import base64, hashlib, os, subprocess, sys, tempfile

def read_key(text):  # name+id+key: the id is that of name and key
    name, ident, rest = text.strip().split("+", 2)
    raw = base64.b64decode(rest)
    assert hashlib.sha256(name.encode() + b"\\n" + raw).hexdigest()[:8] == ident, "a key whose id is wrong"
    return name, bytes.fromhex(ident), raw[0], raw[1:]

def signed(public, message, signature):  # Ed25519, by openssl
    with tempfile.TemporaryDirectory() as d:
        key = bytes.fromhex("302a300506032b6570032100") + public
        for name, data in (("key", key), ("message", message), ("signature", signature)):
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature"
        return subprocess.run(command.split(), cwd=d, capture_output=True).returncode == 0

def check_note(note, keys):  # a text, an empty line, lines of signatures; type 1: the log, type 4: a witness
    body, lines = note.rsplit("\\n\\n", 1)
    body += "\\n"
    good, unknown = [], 0
    for line in lines.strip("\\n").split("\\n"):
        name, signature = line[2:].split(" ")
        signature = base64.b64decode(signature)
        made = [(kind, public) for known, ident, kind, public in keys if known == name and signature[:4] == ident]
        if not made or made[0][0] not in (1, 4):  # of a key that is not given, or of a kind that is not read here
            unknown += 1
            continue
        kind, public = made[0]
        time = int.from_bytes(signature[4:12], "big")
        if kind == 1:
            assert signed(public, body.encode(), signature[4:]), f"the signature of {name} is not valid"
            good.append((name, "the log"))
        else:
            text = f"cosignature/v1\\ntime {time}\\n{body}".encode()
            assert signed(public, text, signature[12:]), f"the signature of {name} is not valid"
            good.append((name, f"witness, at {time} s since 1970"))
    return body.split("\\n"), good, unknown

def node(left, right):
    return hashlib.sha256(b"\\1" + left + right).digest()

def root_of(leaf, index, size, path):  # RFC 6962
    first, last = index, size - 1
    for step in path:
        assert last > 0, "the path is too long"
        if first & 1 or first == last:
            leaf = node(step, leaf)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            leaf = node(leaf, step)
        first, last = first >> 1, last >> 1
    assert last == 0, "the path is too short"
    return leaf

what, path, *key_files = sys.argv[1:]
keys = [read_key(line) for f in key_files for line in open(f) if line.strip()]
text = open(path, encoding="utf-8").read()
if what == "proof":
    head, text = text.split("\\n\\n", 1)
    magic, extra, index, *hashes = head.split("\\n")
    entry, index = base64.b64decode(extra.removeprefix("extra ")), int(index.removeprefix("index "))
(first, second, third, *_), good, unknown = check_note(text, keys)
assert any(kind == "the log" for _, kind in good), "the log did not sign this"
if what == "proof":
    leaf = hashlib.sha256(b"\\0" + entry).digest()
    root = root_of(leaf, index, int(second), [base64.b64decode(h) for h in hashes])
    assert base64.b64encode(root).decode() == third, "this entry is not in the tree that was signed"
    print(entry.decode())
    print(f"entry {index} of {second} of {first}")
else:
    print(first, second)
for name, kind in good:
    print(f"signed by {name} ({kind})")
if unknown:
    print(f"not checked: {unknown} signatures of keys that were not given, or not Ed25519")
`;

export function verifyText(report: Report, signedManifest: boolean): string {
  const { integrity, sample } = report;
  const [event] = sample.events;
  const witnessed = sample.events.find(({ witnesses }) => witnesses.length > 0) ?? event;
  const rotated = integrity.earlier.length > 0;
  const log = `checkpoints/log.vkey${rotated ? " checkpoints/log-earlier.vkeys" : ""}`;
  const keys = `${log}${integrity.cosigned === null ? "" : " checkpoints/witnesses.vkeys"}`;
  return `# How to check this pack

Nothing of Tapline is needed: \`python3\` (3.9 or later), \`openssl\` 3 and \`sha256sum\` will do, or Go.

Everything here was handed over by those whose records it shows. So use **the log's key that you got by another way** in place of
\`checkpoints/log.vkey\`, the witnesses' keys from the witnesses in place of \`checkpoints/witnesses.vkeys\`, and checkpoints that you kept yourself. The
log's key should be:

\`\`\`
${integrity.vkey}
\`\`\`
${rotated ? "\nIt was changed. `checkpoints/log-earlier.vkeys` has the keys before, which may have signed older checkpoints: get them by another way, too.\n" : ""}
Run the commands in the directory of the pack.

## 1. The files are those of the manifest

\`\`\`sh
python3 -c 'import json
for f in json.load(open("manifest.json"))["files"]: print(f["sha256"] + "  " + f["path"])' | sha256sum --check --quiet - && echo "every file is as the manifest says" &&
python3 -c 'import json, os
named = {f["path"] for f in json.load(open("manifest.json"))["files"]} | {"manifest.json", "manifest.note"}
more = sorted({os.path.relpath(os.path.join(d, f)) for d, _, files in os.walk(".") for f in files} - named)
assert not more, f"not of this pack: {more}"
print("and there are no others")'
\`\`\`

## 2. A checker of some sixty lines, to be read

It checks signatures with openssl, and computes the path of an entry to a root as RFC 6962 says. It reads Ed25519 only: signatures of another kind, and of keys
that it is not given, it counts and does not take for good.

\`\`\`sh
cat > /tmp/check.py <<'EOF'
${CHECK}EOF
\`\`\`
${
  signedManifest
    ? `
The manifest is signed with the log's key: the second line of \`manifest.note\` is the digest of \`manifest.json\`.

\`\`\`sh
python3 /tmp/check.py note manifest.note checkpoints/log.vkey
sed -n 2p manifest.note; sha256sum manifest.json
\`\`\`
`
    : `
The manifest of this pack is not signed: the log's key was not at hand where it was made. The proofs below do not rest on it.
`
}
## 3. One event, up to the checkpoint

${
  event === undefined
    ? "No event was drawn: nothing in the period is evidence for the controls of this report.\n"
    : `Each file in \`proofs/\` (C2SP tlog-proof) holds the entry, its place, its path to the root, and the checkpoint with all its signatures.

\`\`\`sh
python3 /tmp/check.py proof ${witnessed!.proof} ${keys}
\`\`\`

It prints the entry as it was recorded, and who signed the checkpoint${integrity.cosigned === null ? ": no witness did" : ", the log and the witnesses"}. For all of them:

\`\`\`sh
for proof in proofs/*.tlog-proof; do python3 /tmp/check.py proof "$proof" ${keys} | tail -n +2; done
\`\`\`

An entry that only the log signed rests on its key alone until a later checkpoint is cosigned or kept by somebody else.

The same with Go's own code for transparency logs (\`golang.org/x/mod/sumdb\`), from \`verify/go\` of Tapline's sources:

\`\`\`
go run . -proof PACK/${witnessed!.proof} ${rotated ? "<(cat PACK/checkpoints/log.vkey PACK/checkpoints/log-earlier.vkeys)" : "PACK/checkpoints/log.vkey"}
\`\`\`
`
}
## 4. The events are those that the draw gives

${sample.algorithm} The seed is ${sample.seed}. The population of each control is in \`report.json\`: the events of the period, before entry ${n(sample.covered)}, that
answer the control's question. Whoever has the ledger can draw again; that the order is that of the draw, the pack shows:

\`\`\`sh
python3 -c 'import hashlib, json
report = json.load(open("report.json"))
seed = report["sample"]["seed"]
key = lambda index: hashlib.sha256(f"{seed}:{index}".encode()).hexdigest()
for c in report["controls"]: assert c["sample"] == sorted(c["sample"], key=key), c["id"]
print("every sample is in the order of the draw")'
\`\`\`

## 5. History, with the ledger at hand

\`checkpoints/\` holds \`checkpoint\` (the log's newest)${integrity.cosigned === null ? "" : ", `checkpoint.cosigned` (the newest that witnesses signed)"}${integrity.older === 0 ? "" : ` and ${n(integrity.older)} older ones, named by size`}.${
    integrity.older === 0
      ? ""
      : ` Who signed each of these:

\`\`\`sh
for kept in checkpoints/*.checkpoint; do python3 /tmp/check.py note "$kept" ${keys}; done
\`\`\`
`
  }
With the ledger's
files, \`tapline ledger verify DIR --vkey … --checkpoint checkpoints\` or the Go verifier show that each is the beginning of the ledger. A stamp (\`.tsr\`) beside a
checkpoint is checked with \`openssl ts -verify -data FILE.checkpoint -in FILE.tsr -CAfile CA.pem\`.
`;
}
