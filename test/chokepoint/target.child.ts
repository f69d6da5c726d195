// An MCP server over Streamable HTTP with everything that the published conformance suite asks for, on the SDK's
// low-level server. Prints its port; answers for the revisions that have sessions.
import { randomUUID } from "node:crypto";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import * as types from "@modelcontextprotocol/sdk/types.js";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAESsAACJWAAACABAAZGF0YQAAAAA=";

const text = (value: string) => ({ type: "text" as const, text: value });
const image = { type: "image" as const, data: PIXEL, mimeType: "image/png" };
const embedded = (uri: string, body: string) => ({
  type: "resource" as const,
  resource: { uri, mimeType: "text/plain", text: body },
});

const one = (...kinds: string[]) => ({ type: "string", enum: kinds });
const titled = (prefix: string, title: string) =>
  [1, 2, 3].map((n) => ({ const: `${prefix}${n}`, title: `${title} ${n}` }));
const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { ...one("active", "inactive", "pending"), default: "active" },
  verified: { type: "boolean", default: true },
};
const OPTIONS = ["option1", "option2", "option3"];
const ENUMS = {
  untitledSingle: one(...OPTIONS),
  titledSingle: { type: "string", oneOf: titled("value", "Option") },
  legacyEnum: { ...one("opt1", "opt2", "opt3"), enumNames: ["One", "Two", "Three"] },
  untitledMulti: { type: "array", minItems: 1, maxItems: 3, items: one(...OPTIONS) },
  titledMulti: { type: "array", minItems: 1, maxItems: 3, items: { anyOf: titled("value", "Choice") } },
};

interface Extra {
  readonly sendNotification: (n: never) => Promise<void>;
  readonly sendRequest: (request: never, schema: never) => Promise<unknown>;
  readonly requestId: string | number;
  readonly _meta?: { readonly progressToken?: string | number } | undefined;
}
type Tool = (
  args: Record<string, string>,
  extra: Extra,
  transport: StreamableHTTPServerTransport,
) => Promise<unknown>;

async function elicit(extra: Extra, message: string, properties: object): Promise<unknown> {
  const params = { message, requestedSchema: { type: "object", properties, required: [] } };
  const answer = await extra.sendRequest(
    { method: "elicitation/create", params } as never,
    types.ElicitResultSchema as never,
  );
  const { action, content } = answer as { action: string; content?: object };
  return [text(`action=${action}, content=${JSON.stringify(content ?? {})}`)];
}

const TOOLS: Record<string, Tool> = {
  test_simple_text: async () => [text("This is a simple text response for testing.")],
  test_image_content: async () => [image],
  test_audio_content: async () => [{ type: "audio", data: SILENCE, mimeType: "audio/wav" }],
  test_embedded_resource: async () => [embedded("test://embedded-resource", "embedded")],
  test_multiple_content_types: async () => [
    text("Several:"),
    image,
    embedded("test://mixed", '{"value":123}'),
  ],
  test_tool_with_logging: async (_args, extra) => {
    for (const data of ["started", "processing", "completed"]) {
      await extra.sendNotification({
        method: "notifications/message",
        params: { level: "info", data },
      } as never);
      await sleep(50);
    }
    return [text("logged")];
  },
  test_tool_with_progress: async (_args, extra) => {
    const progressToken = extra._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100 };
      await extra.sendNotification({ method: "notifications/progress", params } as never);
      await sleep(50);
    }
    return [text(String(progressToken))];
  },
  test_error_handling: async () => {
    throw new Error("This tool intentionally returns an error for testing");
  },
  test_reconnection: async (_args, { requestId }, transport) => {
    transport.closeSSEStream(requestId);
    await sleep(100);
    return [text("reconnected")];
  },
  test_sampling: async ({ prompt }, extra) => {
    const params = { messages: [{ role: "user", content: text(prompt!) }], maxTokens: 100 };
    const answer = await extra.sendRequest(
      { method: "sampling/createMessage", params } as never,
      types.CreateMessageResultSchema as never,
    );
    return [text(`LLM response: ${JSON.stringify(answer)}`)];
  },
  test_elicitation: ({ message }, extra) => elicit(extra, message!, { response: { type: "string" } }),
  test_elicitation_sep1034_defaults: (_args, extra) => elicit(extra, "Defaults", DEFAULTS),
  test_elicitation_sep1330_enums: (_args, extra) => elicit(extra, "Enums", ENUMS),
  json_schema_2020_12_tool: async (args) => [text(JSON.stringify(args))],
};
const SCHEMA_2020_12 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } },
  },
  properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
  additionalProperties: false,
};
const OPEN_SCHEMA = { type: "object" };

const RESOURCES: Record<string, object> = {
  "test://static-text": { mimeType: "text/plain", text: "static" },
  "test://static-binary": { mimeType: "image/png", blob: PIXEL },
  "test://watched-resource": { mimeType: "text/plain", text: "watched" },
};
const PROMPTS: Record<string, { args: string[]; content: (args: Record<string, string>) => object[] }> = {
  test_simple_prompt: { args: [], content: () => [text("This is a simple prompt for testing.")] },
  test_prompt_with_arguments: {
    args: ["arg1", "arg2"],
    content: (a) => [text(`arg1='${a["arg1"]}', arg2='${a["arg2"]}'`)],
  },
  test_prompt_with_embedded_resource: {
    args: ["resourceUri"],
    content: (a) => [embedded(a["resourceUri"]!, "embedded"), text("See above.")],
  },
  test_prompt_with_image: { args: [], content: () => [image, text("See above.")] },
};

function targetServer(transport: StreamableHTTPServerTransport): Server {
  const capabilities = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
  };
  const server = new Server({ name: "target", version: "1.0.0" }, { capabilities });
  const on = (schema: never, handle: (params: Record<string, never>, extra: Extra) => unknown) =>
    server.setRequestHandler(schema, ((request: { params: Record<string, never> }, extra: Extra) =>
      handle(request.params, extra)) as never);
  on(types.ListToolsRequestSchema as never, () => ({
    tools: Object.keys(TOOLS).map((name) => ({
      name,
      description: `Tests ${name}`,
      inputSchema: name === "json_schema_2020_12_tool" ? SCHEMA_2020_12 : OPEN_SCHEMA,
    })),
  }));
  on(types.CallToolRequestSchema as never, async ({ name, arguments: args }, extra) => {
    const tool = TOOLS[name!];
    if (tool === undefined)
      throw new types.McpError(types.ErrorCode.InvalidParams, `no tool ${String(name)}`);
    try {
      return { content: await tool(args ?? {}, extra, transport) };
    } catch (error) {
      return { content: [text((error as Error).message)], isError: true };
    }
  });
  on(types.ListResourcesRequestSchema as never, () => ({
    resources: Object.keys(RESOURCES).map((uri) => ({ uri, name: uri })),
  }));
  on(types.ListResourceTemplatesRequestSchema as never, () => ({
    resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template" }],
  }));
  on(types.ReadResourceRequestSchema as never, ({ uri }) => {
    const id = /^test:\/\/template\/(\w+)\/data$/.exec(uri!)?.[1];
    const body =
      id === undefined ? RESOURCES[uri!] : { mimeType: "application/json", text: JSON.stringify({ id }) };
    if (body === undefined)
      throw new types.McpError(types.ErrorCode.InvalidParams, `no resource ${String(uri)}`);
    return { contents: [{ uri, ...body }] };
  });
  for (const schema of [
    types.SubscribeRequestSchema,
    types.UnsubscribeRequestSchema,
    types.SetLevelRequestSchema,
  ])
    on(schema as never, () => ({}));
  on(types.CompleteRequestSchema as never, () => ({ completion: { values: [], total: 0, hasMore: false } }));
  on(types.ListPromptsRequestSchema as never, () => ({
    prompts: Object.entries(PROMPTS).map(([name, { args }]) => ({
      name,
      description: `Tests ${name}`,
      arguments: args.map((arg) => ({ name: arg, required: true })),
    })),
  }));
  on(types.GetPromptRequestSchema as never, ({ name, arguments: args }) => ({
    messages: PROMPTS[name!]!.content(args ?? {}).map((content) => ({ role: "user", content })),
  }));
  return server;
}

const sessions = new Map<string, StreamableHTTPServerTransport>();

function events() {
  const kept: { id: string; stream: string; message: never }[] = [];
  return {
    storeEvent: async (stream: string, message: never) => {
      const id = `${stream}_${kept.length}`;
      kept.push({ id, stream, message });
      return id;
    },
    replayEventsAfter: async (
      last: string,
      { send }: { send: (id: string, message: never) => Promise<void> },
    ) => {
      const at = kept.findIndex(({ id }) => id === last);
      const stream = kept[at]?.stream ?? "";
      for (const event of kept.slice(at + 1)) {
        if (event.stream === stream && Object.keys(event.message).length > 0)
          await send(event.id, event.message);
      }
      return stream;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as unknown);
}

const http = createServer((request, response) => {
  void (async () => {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (!["localhost", "127.0.0.1"].includes(host)) {
      response.writeHead(403).end();
      return;
    }
    const body = request.method === "POST" ? await bodyOf(request) : undefined;
    const id = request.headers["mcp-session-id"];
    let transport = typeof id === "string" ? sessions.get(id) : undefined;
    if (
      transport === undefined &&
      id === undefined &&
      (body as { method?: string })?.method === "initialize"
    ) {
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        eventStore: events(),
        retryInterval: 500,
        onsessioninitialized: (session) => void sessions.set(session, made),
      });
      transport = made;
      await targetServer(made).connect(made);
    }
    if (transport === undefined) response.writeHead(id === undefined ? 400 : 404).end();
    else await transport.handleRequest(request, response, body);
  })().catch(() => response.destroy());
});
http.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log((http.address() as AddressInfo).port);
});
