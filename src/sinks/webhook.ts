// Tells of incidents and alerts by a POST of JSON to a receiver of the user's choice.
import { z } from "zod";
import type { Component, Sink, SinkContext } from "../core/stage.ts";
import { secretOf } from "../core/secrets.ts";
import { HttpChannel, httpShape, oneOf } from "./http-channel.ts";
import { notifyShape } from "./notice-select.ts";
import { Notifier, type Sent } from "./notifier.ts";
import { type Told, textOf } from "./notice-text.ts";

const config = z
  .strictObject({
    type: z.literal("webhook"),
    ...httpShape,
    token_file: z
      .string()
      .min(1)
      .optional()
      .describe("File that holds a token, sent as `Authorization: Bearer`"),
    token_env: z.string().min(1).optional().describe("Environment variable that holds the token"),
    ...notifyShape,
  })
  .superRefine((options, context) => {
    oneOf(options, ["url", "url_file", "url_env"], context);
    if (options.token_file !== undefined && options.token_env !== undefined)
      context.addIssue("token_file and token_env exclude each other");
  })
  .describe("Tells of incidents and alerts: one JSON object a POST");

/** Values as the event has them: whoever shows them has to escape them. */
function bodyOf(told: Told, { repeat, withheld }: Sent): string {
  const { id, kind, title, data } = told;
  const text = textOf(told, []);
  return JSON.stringify({
    version: 1,
    id,
    kind,
    title,
    text,
    repeat,
    alerts_withheld: withheld,
    event: data,
  });
}

export default {
  config,
  create: (options, context) =>
    new Notifier(
      new HttpChannel("webhook", options, {
        body: bodyOf,
        headers: async ({ token_file, token_env }) => {
          if (token_file === undefined && token_env === undefined) return { headers: {}, secrets: [] };
          const token = (await secretOf(token_file, token_env))!;
          return { headers: { authorization: `Bearer ${token}` }, secrets: [token] };
        },
      }),
      options,
      context,
    ),
} satisfies Component<typeof config, Sink, SinkContext>;
