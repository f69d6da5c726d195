// Findings from what is at hand: sources, anchors, policy, incidents. Pure: takes the moment, reads nothing.
import type { AnchorStatus } from "../anchoring.ts";
import { listed, plural } from "../core/words.ts";
import type { Incident } from "../incident/present.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import type { Finding } from "./contract.ts";

const HOUR_MS = 3_600_000;

const ageOf = (ms: number): string => {
  const hours = Math.floor(ms / HOUR_MS);
  return hours < 48 ? plural(hours, "hour") : plural(Math.floor(hours / 24), "day");
};

/** `heard`: when each source last gave a record, or since when it is waited for. */
export function judgeSources(heard: ReadonlyMap<string, number>, silent_h: number, now_ms: number): Finding {
  if (heard.size === 0) return { outcome: "unknown", detail: "no source is configured" };
  const silent = [...heard].filter(([, at_ms]) => now_ms - at_ms > silent_h * HOUR_MS);
  if (silent.length === 0)
    return {
      outcome: "pass",
      detail: `no source of ${heard.size} was silent for more than ${plural(silent_h, "hour")}`,
    };
  const names = silent.map(([name, at_ms]) => `${name} (${ageOf(now_ms - at_ms)})`);
  return {
    outcome: "fail",
    detail: `${plural(silent.length, "source")} of ${heard.size} gave no record for more than ${plural(silent_h, "hour")}: ${listed(names)}`,
    about: silent.map(([name]) => name).join(),
  };
}

export function judgeWitness(anchors: readonly AnchorStatus[], witness_h: number, now_ms: number): Finding {
  const witnesses = anchors.filter(({ type }) => type === "witness");
  if (witnesses.length === 0)
    return {
      outcome: "unknown",
      detail: "no witness is configured: nobody else is asked to sign checkpoints",
    };
  const old = witnesses.filter(({ at_ms }) => now_ms - at_ms > witness_h * HOUR_MS);
  const refused = witnesses.filter(({ contradiction }) => contradiction !== undefined);
  if (refused.length > 0)
    return {
      outcome: "fail",
      detail: `${listed(refused.map(({ name }) => name))} holds another history: nothing is signed any more`,
      about: refused.map(({ name }) => name).join(),
    };
  if (old.length === 0)
    return {
      outcome: "pass",
      detail: `every witness signed within ${plural(witness_h, "hour")}: ${listed(witnesses.map(({ name, size }) => `${name} the first ${plural(size, "entry", "entries")}`))}`,
    };
  const names = old.map(({ name, at_ms, trouble }) => {
    const when = at_ms === 0 ? "never" : `${ageOf(now_ms - at_ms)} ago`;
    return `${name} (${when}${trouble === undefined ? "" : `: ${trouble}`})`;
  });
  return {
    outcome: "fail",
    detail: `the last cosignature is older than ${plural(witness_h, "hour")}: ${listed(names)}`,
    about: old.map(({ name }) => name).join(),
  };
}

export function judgePolicy(policy: CompiledPolicy | undefined): Finding {
  if (policy === undefined)
    return { outcome: "unknown", detail: "there is no policy: nothing is decided here" };
  if (policy.mode !== "enforce")
    return {
      outcome: "fail",
      detail: "the policy is in mode observe: what it refuses is recorded and passes",
    };
  const lax = policy.servers.filter(({ mode }) => mode !== "enforce").map(({ name }) => name);
  if (lax.length > 0)
    return {
      outcome: "fail",
      detail: `the policy is in mode enforce, except for ${plural(lax.length, "server")} in mode observe: ${listed(lax)}`,
      about: lax.join(),
    };
  return { outcome: "pass", detail: "the policy is in mode enforce, for every server of it" };
}

/** `today` as in 2027-01-31, UTC: an approval holds on its last day. */
export function judgeInventory(policy: CompiledPolicy | undefined, today: string): Finding {
  if (policy === undefined)
    return { outcome: "unknown", detail: "there is no policy, and with it no inventory" };
  const expired = policy.servers.filter(({ expires }) => expires !== undefined && expires < today);
  const total = plural(policy.servers.length, "server");
  if (expired.length === 0)
    return { outcome: "pass", detail: `no approval of the inventory has expired (${total})` };
  return {
    outcome: "fail",
    detail: `the approval of ${expired.length} of ${total} has expired: ${listed(expired.map(({ name, expires }) => `${name} on ${expires}`))}`,
    about: expired.map(({ name }) => name).join(),
  };
}

type Until = Incident["deadlines"][number]["until"];

/** Incidents with a deadline that passed before it was met, of the kinds named. */
function late(incidents: readonly Incident[], until: readonly Until[], now: string): Incident[] {
  return incidents.filter(({ deadlines }) =>
    deadlines.some((one) => until.includes(one.until) && one.met_at === undefined && one.due < now),
  );
}

/** Alerts that nobody acknowledged, by the deadline of their incident. */
export function judgeAlerts(incidents: readonly Incident[], now: string): Finding {
  const found = late(incidents, ["acknowledged"], now);
  if (found.length === 0)
    return {
      outcome: "pass",
      detail: "no alert of an incident waits beyond its deadline to be acknowledged",
    };
  const alerts = found.reduce((sum, one) => sum + one.alerts, 0);
  return {
    outcome: "fail",
    detail: `${plural(alerts, "alert")} of ${plural(found.length, "incident")} passed the deadline unacknowledged: ${listed(found.map(({ id }) => id.slice(0, 8)))}`,
    about: found.map(({ id }) => id).join(),
  };
}

/** Incidents of which somebody was to be told, or that were to be closed, by now. */
export function judgeIncidents(incidents: readonly Incident[], now: string): Finding {
  const found = late(incidents, ["reported", "closed"], now);
  if (found.length === 0)
    return {
      outcome: "pass",
      detail: "no incident is past a deadline by which it was to be reported or closed",
    };
  const names = found.map(({ id, deadlines }) => {
    const passed = deadlines.filter(
      (one) => one.until !== "acknowledged" && one.met_at === undefined && one.due < now,
    );
    return `${id.slice(0, 8)} (${passed.map(({ name }) => name).join(", ")})`;
  });
  return {
    outcome: "fail",
    detail: `${plural(found.length, "incident")} past a deadline to report or close: ${listed(names)}`,
    about: found.map(({ id }) => id).join(),
  };
}
