// What an OCSF finding tells of the event behind an alert: who did what to what, and where to. For `ocsf.ts`.
import { isIP } from "node:net";
import { type Fields, type Shape, listed, shape, shapeWith } from "./ocsf-fields.ts";

// As the schema's own pattern has it; what differs stays unmapped.
const EMAIL = /^[\w!#$%&'*+\-/=?^`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$/;
const PORT_MAX = 65_535;
const isPort = (port: number): boolean => port >= 0 && port <= PORT_MAX;

/** First what was done, then the results that its content or its orders came from. */
export function evidencesOf(f: Fields, uid: string | undefined): readonly Shape[] | undefined {
  const matched = f.object("tapline.alert.evidence");
  const group = f.object("tapline.alert.group");
  const path = f.text("file.path");
  const done = shape({
    actor: actorOf(f),
    api: apiOf(f),
    data: shape({ matched, group }),
    dst_endpoint: endpointOf(f),
    file: shapeWith("path", path, {
      name: path?.split(/[\\/]/).findLast((part) => part !== "") ?? path,
      type_id: 0,
      type: "Unknown",
    }),
    url: f.has("url.full")
      ? shape({ url_string: f.text("url.full"), hostname: f.text("url.domain") })
      : undefined,
  });
  const from = (event: string, tool: string, server: string, name: string): Shape | undefined => {
    if (!f.has(event) || !f.has(tool)) return undefined;
    const service = shapeWith("name", f.text(server), {});
    return shape({ name, uid: f.text(event), api: shape({ operation: f.text(tool), service }) });
  };
  return listed([
    done === undefined ? undefined : shape({ uid, ...done }),
    from(
      "tapline.flow.from_event",
      "tapline.flow.from_tool",
      "tapline.flow.from_server",
      "result whose content went out",
    ),
    from(
      "tapline.provenance.source_event",
      "tapline.provenance.source_tool",
      "tapline.provenance.source_server",
      "result that instructed the agent",
    ),
  ]);
}

function actorOf(f: Fields): Shape | undefined {
  const known = f.has("user.name") || f.has("user.id");
  const session = f.text("gen_ai.conversation.id");
  return shape({
    app_name: f.text("service.name"),
    session: shapeWith("uid", session ?? f.text("session.id"), {}),
    user: known
      ? shape({
          name: f.text("user.name"),
          uid: f.text("user.id"),
          email_addr: f.text("user.email", (text) => EMAIL.test(text)),
        })
      : undefined,
  });
}

function apiOf(f: Fields): Shape | undefined {
  return shapeWith("operation", f.text("gen_ai.tool.name") ?? f.text("mcp.method.name"), {
    service: shapeWith("name", f.text("tapline.server.name"), {}),
    request: shapeWith("uid", f.text("gen_ai.tool.call.id"), {}),
  });
}

/** Where data went, else the server that was called. */
function endpointOf(f: Fields): Shape | undefined {
  const ip = f.text("destination.ip", (text) => isIP(text) !== 0 && !text.includes("%"));
  const hostname = f.text("destination.domain");
  if (ip !== undefined || hostname !== undefined)
    return shape({ hostname, ip, port: f.number("destination.port", isPort) });
  if (!f.has("server.address")) return undefined;
  return shape({ hostname: f.text("server.address"), port: f.number("server.port", isPort) });
}

export function resourcesOf(f: Fields): readonly Shape[] | undefined {
  const agent = { name: f.text("gen_ai.agent.name"), uid: f.text("gen_ai.agent.id") };
  const target = { role_id: 1, role: "Target" };
  return listed([
    agent.name === undefined && agent.uid === undefined
      ? undefined
      : shape({ ...agent, type: "AI agent", role_id: 2, role: "Actor" }),
    shapeWith("uid", f.text("tapline.server.url"), { type: "MCP server", ...target }),
    shapeWith("uid", f.text("mcp.resource.uri"), { type: "MCP resource", ...target }),
  ]);
}

const OBSERVABLES = [
  ["actor.user.name", 4, "User Name"],
  ["actor.user.email_addr", 5, "Email Address"],
  ["dst_endpoint.hostname", 1, "Hostname"],
  ["dst_endpoint.ip", 2, "IP Address"],
  ["file.path", 45, "File Path"],
  ["url.url_string", 6, "URL String"],
] as const;

export function observablesOf(evidence: Shape | undefined): readonly Shape[] | undefined {
  const valueAt = (path: string): unknown =>
    path.split(".").reduce<unknown>((at, key) => (at as Shape | undefined)?.[key], evidence);
  return listed(
    OBSERVABLES.map(([path, type_id, type]) => {
      const value = valueAt(path);
      return value === undefined ? undefined : { name: `evidences[0].${path}`, type_id, type, value };
    }),
  );
}
