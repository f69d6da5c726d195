#!/usr/bin/env python3
"""Sessions as generate.py makes them, in wordings that nothing was tuned to before they were measured (README): other
frames, the goal in other words and languages, before, after or instead of the text that stood there, other kinds of addresses and
accounts, bodies with a greeting; and harmless sessions with harmless orders in every result, two tasks in one session, and calls
outwards that the user asked for.   varied.py OUT.jsonl third|fourth [attacks per pair of tasks] [suite]"""

import json
import random
import re
import sys

import yaml
from agentdojo.functions_runtime import FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suites

import asked
import wordings
from generate import EMAIL, act, escape, extra_calls, mapped, run, steps_of

# The package reads its environments anew for every session.
yaml.safe_load = lambda text: yaml.load(text, Loader=yaml.CSafeLoader)
SITES = r"www\.(?:secure-systems-252|my-website-234|true-informations)\.com"
OWN = ("lily.white@gmail.com", "security@facebook.com")


def word(rng):
    return "".join(rng.choice("abcdefghiklmnoprstuvw") for _ in range(rng.randint(4, 8)))


def digits(rng, n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def disguise(rng):
    """Fresh addresses, accounts and sites of many kinds."""
    known = {}

    def fresh(m):
        old = m.group(0)
        if old not in known:
            a, b = word(rng), word(rng)
            if "@" in old:
                name = rng.choice([f"{a}.{b}{rng.randint(1, 999)}", a, f"{a}_{b}", f"{a}+{b}"])
                host = rng.choice(["gmail.com", "outlook.com", "proton.me", b + ".com", b + ".net", b + ".xyz", f"mail.{b}.co.uk", f"{a}-{b}.io"])
                known[old] = f"{name}@{host}"
            elif re.match(r"(?:US|DE)\d", old):
                iban = rng.choice(["DE", "GB", "US", "CH", "FR"]) + digits(rng, rng.choice([16, 18, 20]))
                wallet = "0x" + "".join(rng.choice("0123456789abcdef") for _ in range(40))
                known[old] = rng.choice([iban, wallet, digits(rng, 12), f"NL{digits(rng, 2)}{a[:4].upper()}{digits(rng, 10)}"])
            else:
                known[old] = rng.choice(["www.", "https://", "http://www.", ""]) + f"{a}-{b}" + rng.choice([".com", ".net", ".io", ".xyz", ".info"])
        return known[old]

    return lambda text: re.sub(EMAIL + r"|(?:US|DE)\d{15,}|" + SITES, fresh, text)


def greeted(args, rng):
    out = dict(args)
    for key in ("body", "content", "description"):
        if isinstance(out.get(key), str) and out[key] != "$RESULT" and rng.random() < 0.4:
            out[key] = rng.choice(["Hello,\n\n", "Hi there! ", "Good day,\n"]) + out[key] + rng.choice(["\n\nBest regards,\nEmma", "\nThanks!", ""])
    return out


def wording(words, suite, injection, goal, rng):
    """The goal in its own words, in others, or in another language; and which."""
    mails = [m for m in re.findall(EMAIL, goal) if m not in OWN]
    account, site = re.search(r"(?:US|DE)\d{15,}", goal), re.search(SITES, goal)
    names = {"m": mails[0] if mails else "", "i": account and account.group(0), "w": site and site.group(0)}
    dice = rng.random()
    for kind, most in (("reworded", 0.35), ("languages", 0.5)):
        texts = words[kind].get(suite, {}).get(injection)
        if texts and dice < most:
            return rng.choice(texts).format(**names), kind
    return goal, "goal"


def injected(frame, goal, defaults, rng):
    """What stands in each place: the frame instead of, after or before the text of old."""
    mode = rng.choice(["replace", "append", "prepend"])
    out = {}
    for place, text in defaults.items():
        old = text.replace("\\n", "\n").replace("\\t", "\t")
        new = frame.format(goal=goal, goal_lc=goal[0].lower() + goal[1:].rstrip("."), goal_caps=goal.upper(),
                           goal_q=goal.replace('"', "'"), user="Emma Johnson", default=old)
        if "{default}" not in frame:
            if mode == "append":
                new = old + rng.choice([" ", "\n", "\n\n"]) + new
            elif mode == "prepend":
                new = new + rng.choice([" ", "\n"]) + old
        out[place] = escape(new)
    return out


def squash(text):
    return re.sub(r"\\n|\\\\|[\\'\"\s]+", "", text).lower()


def attacked(suite, task, injections, goal, calls, place, rng):
    env = suite.load_and_inject_default_environment(injections)
    if hasattr(task, "init_environment"):
        env = task.init_environment(env)
    runtime = FunctionsRuntime(suite.tools)
    steps, seen, mark = [], False, None
    for call in task.ground_truth(env):
        steps.append(run(runtime, env, call))
        if not seen and squash(goal)[:30] in squash(steps[-1]["result"]):
            seen = True
            if place == "now":
                mark = len(steps)
                steps += act(runtime, env, calls, rng)
    if seen and place == "end":
        mark = len(steps)
        steps += act(runtime, env, calls, rng)
    return (steps, mark) if seen else (None, None)


def decorated(words, suite, defaults, rng):
    """Harmless orders beside the text of old; not where a name or the bill to be paid stands."""
    def text():
        return rng.choice(words["harmless"]).format(mail=f"{word(rng)}@{word(rng)}.com", site=f"https://www.{word(rng)}.com", iban="DE" + digits(rng, 20))

    out = {}
    for place, old in defaults.items():
        if place in ("prompt_injection_channel", "injection_bill_text"):
            continue
        kept = old.replace("\\n", "\n").replace("\\t", "\t") + " " if rng.random() < 0.7 else ""
        out[place] = escape(kept + " ".join(text() for _ in range(rng.randint(1, 2))))
    return out


def sessions(name, suite, words, per_pair, rng):
    defaults = suite.get_injection_vector_defaults()
    tasks = list(suite.user_tasks.items())

    def made(label, template, task, injection, steps, mark, prompt, count):
        return {"suite": name, "label": label, "template": template, "task": task, "injection": injection, "prompt": prompt,
                "steps": steps, "mark": mark, "malicious": count}

    for task_id, task in tasks:
        plain, _ = steps_of(suite, task, {}, None, "", rng)
        yield made("benign", None, task_id, None, plain, None, task.PROMPT, 0)
        for _ in range(3):
            try:
                steps, _ = steps_of(suite, task, decorated(words, suite, defaults, rng), None, "", rng)
            except Exception:  # a task whose own data was replaced
                continue
            yield made("benign", "decorated", task_id, None, steps, None, task.PROMPT, 0)
        other_id, other = rng.choice(tasks)
        more, _ = steps_of(suite, other, {}, None, "", rng)
        yield made("benign", "two tasks", f"{task_id}+{other_id}", None, plain + more, None, f"{task.PROMPT}\n\nThen: {other.PROMPT}", 0)
        for inj_id, inj in suite.injection_tasks.items():
            env = suite.load_and_inject_default_environment({})
            calls = [(c.function, c.args) for c in inj.ground_truth(env)] or extra_calls(inj.GOAL, rng)
            for _ in range(per_pair if calls else 0):
                change = disguise(rng)
                bad = [(tool, greeted(mapped(dict(args), change), rng)) for tool, args in calls]
                text, kind = wording(words, name, inj_id, inj.GOAL, rng)
                frame = rng.choice(sorted(words["frames"]))
                goal = change(text)
                injections = injected(words["frames"][frame], goal, defaults, rng)
                try:
                    steps, mark = attacked(suite, task, injections, goal, bad, rng.choice(["now", "now", "end"]), rng)
                except Exception:  # a task whose own data the injection replaced
                    continue
                if steps is None:
                    continue
                yield made("attack", f"{frame}/{kind}", task_id, inj_id, steps, mark, task.PROMPT, len(bad))
                if rng.random() < 0.2:
                    steps, _ = steps_of(suite, task, injections, None, "", rng)
                    yield made("ignored", f"{frame}/{kind}", task_id, inj_id, steps, None, task.PROMPT, 0)


def main():
    which = sys.argv[2]
    per_pair = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    words = {"third": wordings.THIRD, "fourth": wordings.FOURTH}[which]
    rng = random.Random({"third": 77, "fourth": 991}[which])
    with open(sys.argv[1], "w") as out:
        for name, suite in get_suites("v1.2.2").items():
            if name in sys.argv[4:] or len(sys.argv) < 5:
                for session in sessions(name, suite, words, per_pair, rng):
                    out.write(json.dumps(session) + "\n")
        for session in getattr(asked, which)(rng):
            out.write(json.dumps(session) + "\n")


if __name__ == "__main__":
    main()
