// Puts a call to a person: a form that the client shows, or a question on the terminal. What is shown comes from the
// attacker's side, so it is cut and stripped of whatever could draw over the question. No answer is no.
import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { LIMITS } from "../core/limits.ts";
import { type Fields, type Message, asFields } from "./json-rpc.ts";
import { subjectOf } from "./methods.ts";

/** `nobody`: there was nobody to ask. */
export type Answer = "allow" | "deny" | "timeout" | "cancelled" | "nobody";

const NAME_CHARS = 200;

/** Printable text of one line. */
function plain(text: string, chars: number): string {
  const flat = text.toWellFormed().replaceAll(/[\p{C}\p{Z}]+/gu, " ");
  return flat.length > chars ? `${flat.slice(0, chars)}…` : flat;
}

export function questionOf(
  message: Message,
  server: string,
  agent: string | undefined,
  reason: string,
): string {
  const subject = subjectOf(message);
  const args =
    subject.arguments === undefined
      ? ""
      : ` with ${plain(JSON.stringify(subject.arguments), LIMITS.ask_chars)}`;
  const who = agent === undefined ? "The client" : plain(agent, NAME_CHARS);
  return `${who} asks for ${message.method} "${plain(subject.tool, NAME_CHARS)}" of the server "${plain(server, NAME_CHARS)}"${args}. ${plain(reason, NAME_CHARS * 2)} Allow it?`;
}

/** Parameters of `elicitation/create`. */
export function formOf(question: string): object {
  return {
    message: question,
    requestedSchema: {
      type: "object",
      properties: { allow: { type: "boolean", title: "Allow this call", default: false } },
      required: ["allow"],
    },
  };
}

/** What the client's answer to the form says. */
export function answerOf(result: unknown): Answer {
  const fields: Fields | undefined = asFields(result);
  return fields?.["action"] === "accept" && asFields(fields["content"])?.["allow"] === true
    ? "allow"
    : "deny";
}

let turn: Promise<unknown> = Promise.resolve();

/** Asks on the terminal, one question at a time; `nobody` when there is none. */
export function askOnTerminal(question: string, signal: AbortSignal): Promise<Answer> {
  const asked = turn.then(() => (signal.aborted ? "timeout" : prompt(question, signal)));
  turn = asked.catch(() => {});
  return asked;
}

function prompt(question: string, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let terminal: ReadStream;
  try {
    const fd = openSync("/dev/tty", "r+");
    terminal = new ReadStream(fd);
    writeSync(fd, `\ntapline: ${question} [y/N] `);
  } catch {
    return Promise.resolve("nobody");
  }
  let line = "";
  const end = (answer: Answer): void => {
    signal.removeEventListener("abort", late);
    terminal.destroy();
    resolve(answer);
  };
  const late = (): void => end("timeout");
  signal.addEventListener("abort", late);
  terminal.on("error", () => end("nobody"));
  terminal.on("end", () => end("deny"));
  terminal.on("data", (chunk: Buffer) => {
    line += chunk.toString("latin1");
    if (/[\r\n]/.test(line) || line.length > NAME_CHARS) end(/^\s*y(es)?\s*$/i.test(line) ? "allow" : "deny");
  });
  return promise;
}
