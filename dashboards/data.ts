// A.7 and A.4: what data was read, how it is classified, where it went, by which way, and from where values came.
import {
  CALLS,
  type Dashboard,
  action,
  by,
  count,
  distinct,
  eventsRow,
  first,
  highest,
  is,
  last,
  number,
  sum,
  there,
} from "./define.ts";

const LABELLED = [...CALLS, there("tapline.data.classification")];
const OUT = [...CALLS, is("network.direction", "egress")];
const FLOWS = [...CALLS, there("tapline.flow.from_event")];
const LINEAGE = [...CALLS, there("tapline.provenance.source_event")];
const RESOURCES = [action("resource-read", "resource-result")];

export const data: Dashboard = {
  id: "data",
  title: "A.7 and A.4 Data",
  short: "Data A.7 A.4",
  about:
    "Data that was read, its classification, where it went, and lineage: evidence for A.7.3, A.7.5 and A.4.3",
  from: "now-30d",
  filters: [
    { field: "user.name", label: "User" },
    { field: "tapline.data.classification", label: "Classification" },
    { field: "tapline.server.name", label: "Server" },
    { field: "gen_ai.tool.name", label: "Tool" },
    { field: "destination.domain", label: "Destination" },
  ],
  shows:
    "Supporting evidence for A.7.3, A.7.5, A.7.6, A.4.2, A.4.3 and A.4.4: what was read, where it went, what came from where. Not collected here: quality of data (A.7.4), and data that no tool touched.",
  rows: [
    {
      height: 6,
      panels: [
        number("labelled", "Calls that reach classified data", 8, LABELLED, count("Calls")),
        number(
          "reads",
          "Calls of tools that read private data",
          8,
          [...CALLS, is("tapline.tool.class", "private")],
          count("Calls"),
        ),
        number("out", "Outgoing calls", 8, OUT, count("Calls")),
        number("flows", "Calls that carry content of a result", 8, FLOWS, count("Calls")),
        number("lineage", "Calls with values of an instruction", 8, LINEAGE, count("Calls")),
        number(
          "redacted",
          "Events with something redacted",
          8,
          [is("tapline.data.redacted", true)],
          count("Events"),
        ),
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "classes",
          title: "What was reached, by classification",
          width: 24,
          where: LABELLED,
          by: [
            by("tapline.data.classification", "Classification", 20),
            by("tapline.server.name", "Server", 5),
            by("gen_ai.tool.name", "Tool", 5),
          ],
          metrics: [count("Calls"), distinct("user.name", "≈ Users"), last()],
        },
        {
          kind: "table",
          id: "went",
          title: "Where classified data went",
          width: 24,
          where: [...LABELLED, is("network.direction", "egress")],
          by: [
            by("tapline.data.classification", "Classification", 10),
            by("destination.domain", "Destination", 10),
          ],
          metrics: [count("Calls"), sum("tapline.data.bytes_out", "Sent"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "bar",
          id: "kinds",
          title: "Calls by class of tool",
          width: 12,
          where: CALLS,
          metric: count("Calls"),
          by: by("tapline.tool.class", "Class", 5),
        },
        {
          kind: "table",
          id: "files",
          title: "Sensitive files read, by class",
          width: 18,
          where: [...CALLS, there("tapline.file.reads")],
          by: [by("tapline.file.reads", "Class of file", 15), by("service.name", "Agent", 5)],
          metrics: [count("Calls"), last()],
        },
        {
          kind: "table",
          id: "resources",
          title: "Resources of MCP servers",
          width: 18,
          where: RESOURCES,
          by: [by("mcp.resource.uri", "Resource", 20), by("tapline.server.name", "Server", 3)],
          metrics: [count("Events"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "time",
          id: "sent",
          title: "Bytes sent over time, in outgoing calls",
          width: 24,
          where: OUT,
          metric: sum("tapline.data.bytes_out", "Sent"),
        },
        {
          kind: "table",
          id: "destinations",
          title: "Destinations",
          width: 24,
          where: OUT,
          by: [by("destination.domain", "Destination", 20), by("gen_ai.tool.name", "Tool", 3)],
          metrics: [count("Calls"), sum("tapline.data.bytes_out", "Sent"), first(), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "hits",
          title: "Flow: content of a result that went into a later call",
          width: 48,
          where: FLOWS,
          by: [
            by("tapline.flow.from_server", "From server", 10),
            by("tapline.flow.from_tool", "From tool", 10),
            by("tapline.flow.to_tool", "To tool", 10),
            by("tapline.flow.encoding", "Encoding", 5),
          ],
          metrics: [count("Calls"), highest("tapline.flow.overlap", "Largest overlap"), last()],
        },
      ],
    },
    {
      height: 12,
      panels: [
        {
          kind: "table",
          id: "sources",
          title: "Lineage: values of calls that came out of an instruction in a result",
          width: 48,
          where: LINEAGE,
          by: [
            by("tapline.provenance.source_server", "From server", 10),
            by("tapline.provenance.source_tool", "From tool", 10),
            by("gen_ai.tool.name", "Into tool", 10),
            by("tapline.provenance.arguments", "Argument", 5),
          ],
          metrics: [count("Calls"), highest("tapline.provenance.instruction_score", "Highest score"), last()],
        },
      ],
    },
    eventsRow("Outgoing calls", "outgoing"),
  ],
};
