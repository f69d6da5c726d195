# Evaluates Sigma correlations as pySigma's SQLite backend translates them. Standard input: {"cases": [{"rules": YAML of
# a correlation and all that it stands on, "observation_end": Unix seconds or null}], "events": [{}]}; events have a time
# in `timestamp` (RFC 3339). Standard output: for each case a list of [group, start, end], times in ms since 1970, one
# for each window that meets the condition, or {"error": text}.
import json
import sqlite3
import sys

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

given = json.load(sys.stdin)
database = sqlite3.connect(":memory:")
TEXT = "TEXT COLLATE NOCASE"
database.execute(f"CREATE TABLE logs (timestamp TEXT, k {TEXT}, g {TEXT}, h {TEXT}, u {TEXT}, v NUMERIC, sigma_metric NUMERIC)")
for event in given["events"]:
    row = [event.get(name) for name in ("timestamp", "k", "g", "h", "u", "v")]
    database.execute("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
out = []
for case in given["cases"]:
    try:
        backend = sqliteBackend(observation_end=case["observation_end"])
        found = []
        for query in backend.convert(SigmaCollection.from_yaml(case["rules"])):
            cursor = database.execute(query)
            names = [column[0] for column in cursor.description]
            if "group_keys" not in names:  # a detection rule that the correlation does not refer to
                continue
            for row in cursor:
                row = dict(zip(names, row))
                group = list(json.loads(row["group_keys"]).values())
                found.append([group, round(row["window_start"] * 1000), round(row["window_end"] * 1000)])
        out.append(found)
    except Exception as error:
        out.append({"error": f"{type(error).__name__}: {error}"})
json.dump(out, sys.stdout)
