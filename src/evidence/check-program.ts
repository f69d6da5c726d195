// The program that VERIFY.md of a pack prints for who has nothing of Tapline: Python on its standard library, and openssl. It is
// written to be read before it is run, and refuses where it could pass over.

export const CHECK = `import base64, collections, glob, hashlib, json, os, subprocess, sys, tempfile

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

def check_note(note, keys):  # a text, an empty line, lines of signatures
    body, lines = note.rsplit("\\n\\n", 1)
    body += "\\n"
    good, not_checked = [], []
    for line in lines.strip("\\n").split("\\n"):
        _, name, data = line.split(" ")
        data = base64.b64decode(data)
        known = [(kind, public) for n, ident, kind, public in keys if n == name and ident == data[:4]]
        kind, public = known[0] if known else (None, None)
        if kind == 1:  # a signed note: the log, or who signed the manifest
            assert signed(public, body.encode(), data[4:]), f"the signature of {name} is wrong"
            good.append(("signed", name, ""))
        elif kind == 4:  # a cosignature with its time
            time = int.from_bytes(data[4:12], "big")
            message = f"cosignature/v1\\ntime {time}\\n{body}".encode()
            assert signed(public, message, data[12:]), f"the cosignature of {name} is wrong"
            good.append(("cosigned", name, f", at {time} s since 1970"))
        else:
            why = "its key is not among those given" if kind is None else f"signatures of type {kind} are not checked here"
            not_checked.append(f"NOT CHECKED, counts for nothing: {name}, {why}")
    return body.split("\\n"), good, not_checked

def checkpoint(note, keys):  # origin, size, root: signed by a key of that name, of the log
    (origin, size, root, *_), good, not_checked = check_note(note, keys)
    assert ("signed", origin, "") in good, f"no key of the log {origin} signed this"
    return (origin, int(size), root), good, not_checked

def node(left, right):
    return hashlib.sha256(b"\\1" + left + right).digest()

def root_of(leaf, index, size, path):  # RFC 6962
    assert 0 <= index < size, "no place in this tree"
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

def proven(path, keys):  # a C2SP tlog-proof with the entry in it
    head, note = open(path, encoding="utf-8").read().split("\\n\\n", 1)
    magic, extra, index, *hashes = head.split("\\n")
    assert magic == "c2sp.org/tlog-proof@v1", "not a proof"
    entry, index = base64.b64decode(extra.removeprefix("extra ")), int(index.removeprefix("index "))
    (origin, size, root), good, not_checked = checkpoint(note, keys)
    found = root_of(hashlib.sha256(b"\\0" + entry).digest(), index, size, [base64.b64decode(h) for h in hashes])
    assert base64.b64encode(found).decode() == root, f"{path}: this entry is not in the tree that was signed"
    return entry, index, f"entry {index} of {size} of {origin}", good, not_checked

def files(keys):  # those of the manifest, as it says, and no other; with keys, the manifest is signed
    manifest = open("manifest.json", "rb").read()
    listed = json.loads(manifest)["files"]
    named = {f["path"]: f["sha256"] for f in listed}
    assert len(named) == len(listed), "the manifest names a file twice"
    there = set()
    for folder, folders, names in os.walk("."):
        links = [one for one in folders if os.path.islink(os.path.join(folder, one))]
        there |= {os.path.relpath(os.path.join(folder, one), ".").replace(os.sep, "/") for one in names + links}
    there -= {"manifest.json", "manifest.note"}
    wrong = [f"NOT IN THE MANIFEST: {one}" for one in sorted(there - set(named))]
    wrong += [f"MISSING: {one}" for one in sorted(set(named) - there)]
    for one in sorted(there & set(named)):
        if os.path.islink(one) or hashlib.sha256(open(one, "rb").read()).hexdigest() != named[one]:
            wrong.append(f"CHANGED: {one}")
    if wrong:
        sys.exit("\\n".join(wrong))
    print(f"{len(named)} files are as the manifest says, and there is no other")
    if keys:
        (first, digest, *_), good, not_checked = check_note(open("manifest.note", encoding="utf-8").read(), keys)
        assert first == "tapline evidence manifest", "not the note of a manifest"
        assert digest == hashlib.sha256(manifest).hexdigest(), "the note is of another manifest"
        assert any(how == "signed" for how, *_ in good), "no key that was given signed the manifest"
        say(good, not_checked)

def sample(keys):  # every event drawn: proven, shown as it is in the ledger, and in the order of the draw
    report = json.load(open("report.json", encoding="utf-8"))
    entries, by = {}, collections.Counter()
    for path in sorted(glob.glob("proofs/*.tlog-proof")):
        entry, index, _, good, not_checked = proven(path, keys)
        entries[index] = entry
        by.update({f"{how} by {name}" for how, name, _ in good} | set(not_checked))
    shown = {}
    for line in filter(None, open("events.ndjson", "rb").read().split(b"\\n")):
        said = json.loads(line)
        index, entry = said["index"], entries[said["index"]]
        assert line.endswith(b',"entry":' + entry + b"}"), f"events.ndjson shows another entry {index}"
        shown[index] = "sha256:" + hashlib.sha256(b"\\0" + entry).hexdigest()
        assert said["hash"] == shown[index], f"events.ndjson has another hash of entry {index}"
    assert shown == {e["index"]: e["hash"] for e in report["sample"]["events"]}, "report.json names other events"
    drawn = {index for c in report["controls"] for index in c["sample"]}
    assert drawn == set(shown) == set(entries), "drawn, shown and proven are not the same"
    order = lambda index: hashlib.sha256(f'{report["sample"]["seed"]}:{index}'.encode()).hexdigest()
    for c in report["controls"]:
        assert c["sample"] == sorted(c["sample"], key=order), f'{c["id"]}: not in the order of the draw'
    print(f"{len(shown)} events drawn: each proven, shown as it was recorded, and in the order of the draw")
    for one, events in sorted(by.items()):
        print(f"{one}: {events} of {len(shown)}")

def checkpoints(keys):  # all in the pack, by size; whether one continues another only the ledger shows
    roots = {}
    for path in sorted(glob.glob("checkpoints/*checkpoint*")):
        (origin, size, root), good, not_checked = checkpoint(open(path, encoding="utf-8").read(), keys)
        print(f"{path}: {size} entries of {origin}")
        assert roots.setdefault((origin, size), root) == root, f"two histories of {size} entries were signed"
        say(good, not_checked)

def say(good, not_checked):
    for how, name, when in good:
        print(f"{how} by {name}{when}")
    for one in not_checked:
        print(one)

what, *rest = sys.argv[1:]
path = rest.pop(0) if what == "proof" else None
keys = [read_key(line) for f in rest for line in open(f, encoding="utf-8") if line.strip()]
if what == "proof":
    entry, _, place, good, not_checked = proven(path, keys)
    print(entry.decode())
    print(place)
    say(good, not_checked)
else:
    {"files": files, "sample": sample, "checkpoints": checkpoints}[what](keys)
`;
