# Imports documents of OSCAL into a workspace of compliance-trestle and validates it, as `trestle import` and `trestle
# validate -a` do. Standard input: [{name of a document: its text}], a workspace each. Standard output: for each workspace
# {"imported": {name: exit code}, "validated": exit code, "resolved": controls of the resolved profile with the names of their
# parts, or null}. Standard error: what trestle says.
import contextlib
import json
import os
import pathlib
import sys
import tempfile

from trestle.cli import Trestle
from trestle.core.profile_resolver import ProfileResolver


def command(*words):
    sys.argv = ["trestle", *words]
    with contextlib.redirect_stdout(sys.stderr):
        return Trestle().run()


def resolved(root):
    """What of the catalog the profile takes, and adds to it."""
    path = root / "profiles/profile/profile.json"
    if not path.exists() or not (root / "catalogs/catalog/catalog.json").exists():
        return None
    # The profile names the catalog that lies beside it, a workspace has it elsewhere.
    profile = json.loads(path.read_text())
    profile["profile"]["imports"][0]["href"] = "trestle://catalogs/catalog/catalog.json"
    path.write_text(json.dumps(profile))
    catalog = ProfileResolver.get_resolved_profile_catalog(root, path)
    out = {}
    for group in catalog.groups or []:
        for control in group.controls or []:
            out[control.id] = [part.name for part in control.parts or []]
    return out


answers = []
for documents in json.load(sys.stdin):
    with tempfile.TemporaryDirectory() as home:
        root = pathlib.Path(home, "workspace")
        root.mkdir()
        os.chdir(root)
        if command("init", "--local") != 0:
            sys.exit("trestle init failed")
        imported = {}
        for name, text in documents.items():
            file = pathlib.Path(home, f"{name}.json")
            file.write_text(text)
            imported[name] = command("import", "-f", str(file), "-o", name)
        answers.append({"imported": imported, "validated": command("validate", "-a"), "resolved": resolved(root)})
        os.chdir("/")
json.dump(answers, sys.stdout)
