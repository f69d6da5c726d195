// A mail server for the tests, not of our making (smtp-server), which keeps what it gets.
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll } from "vitest";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly raw: string;
}

const servers: SMTPServer[] = [];
afterAll(async () => {
  for (const server of servers) await new Promise<void>((resolve) => server.close(() => resolve()));
});

export type ServerOptions = ConstructorParameters<typeof SMTPServer>[0];

/** A server on a port of its own, stopped at the end; without STARTTLS and passwords unless asked for. */
export async function smtp(options: ServerOptions = {}): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      let raw = "";
      stream.on("data", (chunk: Buffer) => (raw += chunk.toString("utf8")));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        const user = session.user as string | undefined;
        mails.push({ from, to: rcptTo.map(({ address }) => address), user, secure: session.secure, raw });
        done(null, "queued as 42");
      });
    },
    ...options,
  });
  servers.push(server);
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return { port: (server.server.address() as AddressInfo).port, mails };
}
