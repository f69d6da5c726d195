# Evaluates Sigma rules as pySigma's SQLite backend translates them. Standard input: {"rules": [text], "events": [{}]}.
# Standard output: for each rule the places of the events that match, or {"error": text}.
import json
import re
import sqlite3
import sys

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

given = json.load(sys.stdin)
database = sqlite3.connect(":memory:")
database.create_function("regexp", 2, lambda p, v: v is not None and re.search(p, str(v)) is not None)
# Text without regard to case, as Sigma compares; LIKE is so by itself.
database.execute(
    "CREATE TABLE logs (place INTEGER, a TEXT COLLATE NOCASE, b TEXT COLLATE NOCASE, n NUMERIC, t TEXT, ip TEXT)"
)
for place, event in enumerate(given["events"]):
    database.execute("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?)", [place] + [event.get(k) for k in "a b n t ip".split()])
out = []
for text in given["rules"]:
    try:
        found = set()
        for query in sqliteBackend().convert(SigmaCollection.from_yaml(text)):
            found.update(row[0] for row in database.execute(query.replace("SELECT *", "SELECT place", 1)))
        out.append(sorted(found))
    except Exception as error:
        out.append({"error": f"{type(error).__name__}: {error}"})
json.dump(out, sys.stdout)
