// Tells of incidents and alerts through an incoming webhook of Slack, or of what takes the same (Mattermost, Rocket.Chat).
// Its address is a secret. Nothing in a text is a mark, a link or a mention.
import { z } from "zod";
import type { Component, Sink, SinkContext } from "../core/stage.ts";
import { HttpChannel, httpShape, oneOf } from "./http-channel.ts";
import { notifyShape } from "./notice-select.ts";
import { Notifier, type Sent } from "./notifier.ts";
import { type Told, textOf, unmarked } from "./notice-text.ts";

const { url: _, ...shape } = httpShape;
const config = z
  .strictObject({ type: z.literal("slack"), ...shape, ...notifyShape })
  .superRefine((options, context) => oneOf(options, ["url_file", "url_env"], context))
  .describe("Tells of incidents and alerts: an incoming webhook of Slack, or one that takes the same");

function bodyOf(told: Told, { repeat, withheld }: Sent): string {
  const more = repeat ? ["This may have arrived before."] : [];
  if (withheld > 0) more.push(`Alerts not told one by one: ${withheld}.`);
  const text = unmarked(textOf(told, more));
  // Parsing is turned off as well: Slack makes links of bare addresses, and pictures of links.
  const quiet = { mrkdwn: false, parse: "none", link_names: false, unfurl_links: false, unfurl_media: false };
  return JSON.stringify({ text, ...quiet });
}

export default {
  config,
  create: (options, context) =>
    new Notifier(
      new HttpChannel("slack", options, {
        body: bodyOf,
        headers: async () => ({ headers: {}, secrets: [] }),
      }),
      options,
      context,
    ),
} satisfies Component<typeof config, Sink, SinkContext>;
