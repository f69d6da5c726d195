# An outsider's check of an evidence pack, on the standard library alone: Ed25519 as RFC 8032 writes it down, Merkle paths by
# the recursion of RFC 9162. Arguments: the pack, the log's key, keys of witnesses. Prints what holds as JSON, else fails.
import base64
import hashlib
import json
import pathlib
import sys

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    u, v = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = v - u, d - c, d + c, v + u
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    out = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = add(out, point)
        point, n = add(point, point), n >> 1
    return out


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    assert (x * x - x2) % P == 0, "no point"
    return P - x if (x & 1) != sign else x


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return x, y, 1, x * y % P


GY = 4 * pow(5, P - 2, P) % P
GX = recover_x(GY, 0)
G = (GX, GY, 1, GX * GY % P)


def ed25519(public, message, signature):
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    a, b = times(s, G), add(decompress(signature[:32]), times(h, decompress(public)))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def key_of(text, kind):
    name, ident, rest = text.strip().split("+", 2)
    raw = base64.b64decode(rest)
    assert raw[0] == kind and hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == ident
    return name, bytes.fromhex(ident), raw[1:]


def signature_of(note, key):
    for line in note.rsplit("\n\n", 1)[1].splitlines():
        mark, name, data = line.split(" ")
        data = base64.b64decode(data)
        if mark == "\u2014" and name == key[0] and data[:4] == key[1]:
            return data[4:]
    return None


def opened(note, key):
    """The body of a note that the log signed."""
    body = note.rsplit("\n\n", 1)[0] + "\n"
    signature = signature_of(note, key)
    assert signature is not None and ed25519(key[2], body.encode(), signature), "the log did not sign this"
    return body


def cosigned_at(note, body, key):
    signature = signature_of(note, key)
    if signature is None:
        return None
    at = int.from_bytes(signature[:8], "big")
    good = ed25519(key[2], f"cosignature/v1\ntime {at}\n{body}".encode(), signature[8:])
    assert good, "a cosignature that is wrong"
    return at


def root(leaf, index, size, path):
    if size == 1:
        assert not path
        return leaf
    half = 1 << ((size - 1).bit_length() - 1)
    if index < half:
        return hashlib.sha256(b"\1" + root(leaf, index, half, path[:-1]) + path[-1]).digest()
    return hashlib.sha256(b"\1" + path[-1] + root(leaf, index - half, size - half, path[:-1])).digest()


def check_proof(text, log, witnesses):
    head, note = text.split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    entry, index = base64.b64decode(lines[1].split(" ")[1]), int(lines[2].split(" ")[1])
    body = opened(note, log)
    origin, size, signed_root = body.split("\n")[:3]
    assert origin == log[0]
    path = [base64.b64decode(line) for line in lines[3:]]
    found = root(hashlib.sha256(b"\0" + entry).digest(), index, int(size), path)
    assert base64.b64encode(found).decode() == signed_root, "not in the tree"
    times = [cosigned_at(note, body, key) for key in witnesses]
    return {
        "index": index,
        "size": int(size),
        "cosigned": [at for at in times if at is not None],
        "entry": json.loads(entry),
    }


pack = pathlib.Path(sys.argv[1])
log = key_of(sys.argv[2], 1)
witnesses = [key_of(text, 4) for text in sys.argv[3:]]
manifest = (pack / "manifest.json").read_bytes()
files = {file["path"]: file for file in json.loads(manifest)["files"]}
there = {str(p.relative_to(pack)) for p in pack.rglob("*") if p.is_file()} - {"manifest.json", "manifest.note"}
assert there == set(files), there ^ set(files)
for path, file in files.items():
    data = (pack / path).read_bytes()
    assert hashlib.sha256(data).hexdigest() == file["sha256"] and len(data) == file["bytes"], path
note = opened((pack / "manifest.note").read_text(), log)
assert note == f"tapline evidence manifest\n{hashlib.sha256(manifest).hexdigest()}\n"
proofs = sorted(path for path in files if path.startswith("proofs/"))
checked = [check_proof((pack / path).read_text(), log, witnesses) for path in proofs]
seed = json.loads((pack / "report.json").read_text())["sample"]["seed"]
print(json.dumps({"files": len(files), "proofs": checked, "seed": seed}))
