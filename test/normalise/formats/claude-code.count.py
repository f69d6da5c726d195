#!/usr/bin/env python3
"""Counts tool uses, results and tokens in Claude Code transcripts, without any of Tapline's code.

Usage: claude-code.count.py DIR. Prints one JSON object. Ids are counted once; tokens are the last (largest) count
that a request reports.
"""
import glob
import json
import os
import sys

uses, results, names = set(), set(), {}
tokens = {}
lines = 0
for path in glob.glob(os.path.join(sys.argv[1], "**", "*.jsonl"), recursive=True):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip():
                continue
            lines += 1
            record = json.loads(line)
            message = record.get("message")
            if not isinstance(message, dict):
                continue
            content = message.get("content")
            for block in content if isinstance(content, list) else []:
                if block.get("type") == "tool_use" and block["id"] not in uses:
                    uses.add(block["id"])
                    names[block["name"]] = names.get(block["name"], 0) + 1
                if block.get("type") == "tool_result":
                    results.add(block["tool_use_id"])
            if "usage" in message:
                usage = message["usage"]
                key = record.get("requestId") or message["id"]
                before = tokens.get(key, (0, 0))
                tokens[key] = (usage["input_tokens"], max(before[1], usage["output_tokens"]))
print(
    json.dumps(
        {
            "lines": lines,
            "uses": len(uses),
            "results": len(results),
            "names": names,
            "requests": len(tokens),
            "input_tokens": sum(t[0] for t in tokens.values()),
            "output_tokens": sum(t[1] for t in tokens.values()),
        }
    )
)
