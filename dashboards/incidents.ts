// A.8: incidents as they are now, what was done and by whom, who was told when, what is due and by when, and the timeline.
// Alerts that belong to no incident are on the pages of operation and exfiltration.
import {
  ANY_TIME,
  type Dashboard,
  action,
  by,
  count,
  eventsRow,
  first,
  highest,
  is,
  last,
  lowest,
  number,
  percentile,
  present,
  there,
} from "./define.ts";

const RECORDS = [action("incident")];
const did = (...transitions: string[]) => [...RECORDS, is("tapline.incident.transition", ...transitions)];
const status = (...values: string[]) => is("tapline.incident.status", ...values);
const UNFINISHED = status("open", "acknowledged");

export const incidents: Dashboard = {
  id: "incidents",
  title: "A.8 Incidents",
  short: "Incidents A.8",
  about:
    "Incidents, what was done, who was told, what is due: supporting evidence for A.8.4, A.8.3 and A.3.3",
  from: "now-30d",
  filters: [
    { field: "tapline.incident.id", label: "Incident" },
    { field: "host.name", label: "Host" },
  ],
  shows:
    'Supporting evidence for A.8.4, A.8.3 and A.3.3. Choose an incident in the filter, and the page is its timeline; ids lead on to its alerts and their events. "Now" is a view over the records, whatever the period; the records are the evidence. Not collected here: the plan for communicating incidents, and what was said outside Tapline.',
  rows: [
    {
      height: 6,
      panels: [
        present("open", "Open now", 8, [status("open")], count("Incidents")),
        present("acknowledged", "Acknowledged now", 8, [status("acknowledged")], count("Incidents")),
        present("closed", "Closed", 8, [status("closed")], count("Incidents")),
        present(
          "overdue",
          "Not closed, a deadline passed",
          8,
          [UNFINISHED, there("tapline.incident.deadline.passed")],
          count("Incidents"),
        ),
        number(
          "told",
          "Notifications sent",
          8,
          [...did("notified"), is("event.outcome", "success")],
          count("Records"),
        ),
        number(
          "untold",
          "Notifications that failed",
          8,
          [...did("notified"), is("event.outcome", "failure")],
          count("Records"),
        ),
      ],
    },
    {
      height: 13,
      panels: [
        {
          kind: "table",
          id: "due",
          title: "What is due next, of incidents now, soonest first",
          width: 28,
          where: [there("tapline.incident.deadline.due")],
          of: "incidents",
          period: ANY_TIME,
          by: [
            by("tapline.incident.id", "Incident", 20),
            by("tapline.incident.level", "Level", 1),
            by("tapline.incident.status", "Status", 1),
            by("tapline.incident.deadline.name", "Deadline", 1),
          ],
          metrics: [
            lowest("tapline.incident.deadline.due", "Due"),
            highest("tapline.incident.alert_count", "Alerts"),
          ],
          smallestFirst: true,
        },
        {
          kind: "table",
          id: "times",
          title: "Median minutes, of incidents last changed in the period",
          width: 20,
          where: [],
          of: "incidents",
          by: [by("tapline.incident.level", "Level", 5)],
          metrics: [
            count("Incidents"),
            percentile("tapline.incident.seconds.detect", 50, "Detect"),
            percentile("tapline.incident.seconds.acknowledge", 50, "Acknowledge"),
            percentile("tapline.incident.seconds.notify", 50, "Notify"),
            percentile("tapline.incident.seconds.close", 50, "Close"),
          ],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "groups",
          title: "Incidents now, by what their alerts have in common",
          width: 48,
          where: [],
          of: "incidents",
          period: ANY_TIME,
          by: [
            by("tapline.incident.id", "Incident", 20),
            by("tapline.incident.group.value", "In common", 1),
            by("tapline.incident.status", "Status", 1),
            by("tapline.incident.acknowledged_by", "Acknowledged by", 1),
          ],
          metrics: [
            highest("tapline.incident.opened_at", "Opened"),
            highest("tapline.incident.notified_at", "First told"),
            highest("tapline.incident.closed_at", "Closed"),
          ],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "notices",
          title: "Who was told, and when",
          width: 24,
          where: did("notified"),
          by: [
            by("tapline.incident.notice.recipients", "Who", 20),
            by("tapline.incident.notice.channel", "By", 4),
            by("event.outcome", "Outcome", 3),
          ],
          metrics: [count("Times"), first(), last()],
        },
        {
          kind: "table",
          id: "people",
          title: "Who did what",
          width: 24,
          where: did("acknowledged", "noted", "notified", "closed", "reopened"),
          by: [
            by("user.name", "Who", 10),
            by("tapline.incident.transition", "What", 5),
            by("tapline.incident.verdict", "Verdict", 2),
          ],
          metrics: [count("Records"), first(), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "heat",
          id: "transitions",
          title: "What happened, a day",
          width: 24,
          where: RECORDS,
          metric: count("Records"),
          by: by("tapline.incident.transition", "What", 9),
        },
        {
          kind: "table",
          id: "met",
          title: "Deadlines: passed, or named by a notification",
          width: 24,
          where: [...RECORDS, there("tapline.incident.deadline.name")],
          by: [
            by("tapline.incident.deadline.name", "Deadline", 10),
            by("tapline.incident.transition", "What", 2),
          ],
          metrics: [count("Records"), last()],
        },
      ],
    },
    {
      height: 10,
      panels: [
        {
          kind: "table",
          id: "rules",
          title: "Incidents opened, by rule of the configuration and rule that alerted",
          width: 48,
          where: did("opened"),
          by: [
            by("tapline.incident.rule", "Grouped by", 5),
            by("tapline.incident.rules", "Rule", 20),
            by("tapline.incident.level", "Level", 5),
          ],
          metrics: [count("Incidents"), last()],
        },
      ],
    },
    {
      height: 14,
      panels: [
        {
          kind: "events",
          id: "present",
          title: "Incidents now",
          width: 48,
          search: "incidents",
        },
      ],
    },
    eventsRow("Timeline: what happened, with deadlines set and the alerts it rests on", "timeline"),
  ],
};
