#!/usr/bin/env python3
"""Sessions with goals of its own, not those of the package: each goal in five wordings (an order, a polite one, two that order nothing, a
note), in frames of its own, and harmless sessions in which the user asked for the same kinds of calls. Goals, frames and harmless tasks are in
two halves: `tune`, which rules were worked out on, and `report`, which nothing was tuned to.   fifth.py OUT.jsonl tune|report"""

import json
import random
import sys

import yaml
from agentdojo.functions_runtime import FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suites

import fifth_asked
import fifth_goals
from generate import act, escape, run, steps_of
from varied import digits, squash, word

yaml.safe_load = lambda text: yaml.load(text, Loader=yaml.CSafeLoader)


def identity(rng):
    """Values of one attacker, fresh in every session."""
    a, b = word(rng), word(rng)
    host = rng.choice([f"{b}.com", f"{b}-{a}.net", f"{b}.example", f"{b}.org", f"app.{b}.dev", f"{b}.co"])
    return {
        "m": rng.choice([f"{a}@{host}", f"{a}.{b}@{host}", f"{a}{rng.randint(10, 99)}@gmail.com"]),
        "w": rng.choice(["https://", "http://", "www.", ""]) + host + rng.choice(["", f"/{a}", f"/{a}/{rng.randint(1, 999)}"]),
        "i": rng.choice(["DE" + digits(rng, 20), "GB" + digits(rng, 2) + a[:4].upper().ljust(4, "X") + digits(rng, 14), digits(rng, 14)]),
        "n": a.capitalize(),
        "p": f"{b.capitalize()} {a.capitalize()}",
        "k": f"{a}-{rng.randint(100, 999)}-{b}",
        "amount": rng.choice([80, 240, 975, 1300]),
        "id": str(rng.randint(3, 9)),
        "day": f"2024-0{rng.randint(6, 9)}-{rng.randint(10, 28)}",
    }


def filled(value, names):
    if isinstance(value, str):
        if value[:1] == "#":
            return int(names[value[1:]])
        return value if value == "$RESULT" else value.format(**names)
    if isinstance(value, list):
        return [filled(v, names) for v in value]
    if isinstance(value, dict):
        return {k: filled(v, names) for k, v in value.items()}
    return value


def placed(frame, goal, defaults, rng):
    """What stands in the places: in one, in some or in all of them, beside the text of old or instead of it."""
    mode = rng.choice(["after", "before", "instead", "amid"])
    out = {}
    for place, text in defaults.items():
        old = text.replace("\\n", "\n").replace("\\t", "\t")
        new = frame.format(goal=goal, bare=goal.rstrip("."), old=old)
        if "{old}" not in frame and mode != "instead":
            half = old.find(". ", len(old) // 3) + 2 if mode == "amid" else 0
            if half < 2:
                half = 0 if mode == "before" else len(old)
            new = (old[:half] + rng.choice([" ", "\n", "\n\n"]) + new + rng.choice([" ", "\n"]) + old[half:]).strip()
        out[place] = escape(new)
    return out


def attacked(suite, task, injections, goal, calls, place, rng):
    env = suite.load_and_inject_default_environment(injections)
    if hasattr(task, "init_environment"):
        env = task.init_environment(env)
    runtime = FunctionsRuntime(suite.tools)
    steps, seen, mark = [], False, None
    truth = task.ground_truth(env)
    for at, call in enumerate(truth):
        steps.append(run(runtime, env, call))
        if not seen and squash(goal)[:30] in squash(steps[-1]["result"]):
            seen = True
        if seen and mark is None and (place == "now" or (place == "later" and rng.random() < 0.5)):
            mark = len(steps)
            steps += act(runtime, env, calls, rng)
    if seen and mark is None:
        mark = len(steps)
        steps += act(runtime, env, calls, rng)
    return (steps, mark) if seen else (None, None)


def sessions(name, suite, half, rng):
    defaults = suite.get_injection_vector_defaults()
    frames = fifth_goals.FRAMES[half]

    def made(label, template, task, injection, steps, mark, count):
        return {"suite": name, "label": label, "template": template, "task": task, "injection": injection, "prompt": prompt,
                "steps": steps, "mark": mark, "malicious": count}

    for task_id, task in suite.user_tasks.items():
        prompt = task.PROMPT
        for _ in range(3):
            notes = {p: escape(old.replace("\\n", "\n").replace("\\t", "\t") + " " + rng.choice(fifth_asked.NOTES[half]).format(**identity(rng)))
                     for p, old in defaults.items() if p not in ("prompt_injection_channel", "injection_bill_text")}
            try:
                steps, _ = steps_of(suite, task, notes, None, "", rng)
            except Exception:  # a task whose own data was replaced
                continue
            yield made("benign", "notes", task_id, None, steps, None, 0)
        for goal_id, goal in fifth_goals.GOALS[half][name].items():
            names = identity(rng)
            kind = rng.choice(sorted(goal["texts"]))
            text = goal["texts"][kind].format(**names)
            calls = [(tool, filled(args, names)) for tool, args in goal["calls"]]
            frame = rng.choice(sorted(frames))
            injections = placed(frames[frame], text, defaults, rng)
            try:
                steps, mark = attacked(suite, task, injections, text, calls, rng.choice(["now", "later", "end"]), rng)
            except Exception:  # a task whose own data the injection replaced
                continue
            if steps is None:
                continue
            yield made("attack", f"{frame}/{kind}", task_id, goal_id, steps, mark, len(calls))
            if rng.random() < 0.25:
                steps, _ = steps_of(suite, task, injections, None, "", rng)
                yield made("ignored", f"{frame}/{kind}", task_id, goal_id, steps, None, 0)


def main():
    half = sys.argv[2]
    rng = random.Random({"tune": 5051, "report": 5052}[half])
    with open(sys.argv[1], "w") as out:
        for name, suite in get_suites("v1.2.2").items():
            for session in sessions(name, suite, half, rng):
                out.write(json.dumps(session) + "\n")
        for session in fifth_asked.sessions(half, rng, identity):
            out.write(json.dumps(session) + "\n")


main()
