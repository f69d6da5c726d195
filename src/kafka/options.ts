// The options of a connection to Kafka that source and sink share. Secrets come from files and the environment only.
import { z } from "zod";

const BROKER = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/;

const path = z.string().min(1);

const tls = z
  .strictObject({
    ca_file: path
      .optional()
      .describe(
        "PEM file of the authority that signed the brokers' certificates; the machine's own without it",
      ),
    cert_file: path.optional().describe("PEM file of this client's certificate"),
    key_file: path.optional().describe("PEM file of its key"),
  })
  .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
    error: "cert_file and key_file go together",
  });

const sasl = z
  .strictObject({
    mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]).default("scram-sha-512"),
    username: z.string().min(1),
    password_file: path.optional().describe("File that holds the password"),
    password_env: z.string().min(1).optional().describe("Environment variable that holds the password"),
  })
  .refine(
    ({ password_file, password_env }) => (password_file === undefined) !== (password_env === undefined),
    {
      error: "one of password_file and password_env",
    },
  );

const registry = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: "an http or https URL" })
      .refine(
        (text) => (URL.parse(text)?.username ?? "") === "",
        "a URL without user and password: use username and password_file",
      )
      .describe("URL of the schema registry"),
    username: z.string().min(1).optional().describe("User name for basic authentication"),
    password_file: path.optional().describe("File that holds the password"),
    password_env: z.string().min(1).optional().describe("Environment variable that holds the password"),
    ca_file: path.optional().describe("PEM file of the authority that signed the registry's certificate"),
  })
  .refine(
    ({ username, password_file, password_env }) =>
      Number(password_file !== undefined) + Number(password_env !== undefined) ===
      (username === undefined ? 0 : 1),
    { error: "username goes with one of password_file and password_env" },
  );

export const connectionShape = {
  brokers: z
    .preprocess(
      (value) => (typeof value === "string" ? [value] : value),
      z.array(z.string().regex(BROKER, "a host and a port, such as kafka-1:9092")).min(1).max(64),
    )
    .describe("Brokers to begin with, as host:port; one or a list"),
  tls: tls.optional().describe("TLS to the brokers; `{}` trusts the machine's authorities"),
  sasl: sasl.optional().describe("User and password; `plain` needs tls"),
  registry: registry.optional().describe("Schema registry that speaks Confluent's API"),
};
export type ConnectionOptions = z.output<z.ZodObject<typeof connectionShape>>;
export type RegistryOptions = NonNullable<ConnectionOptions["registry"]>;

/** A name of a topic. */
export const topicName = z
  .string()
  .regex(/^(?!\.{1,2}$)[\w.-]{1,249}$/, "a topic: letters, digits, . _ and -");

/** Checks options that need each other. For `superRefine`. */
export function checkConnection(
  { sasl: login, tls: secure }: Pick<ConnectionOptions, "sasl" | "tls">,
  context: { addIssue(message: string): void },
): void {
  if (login?.mechanism === "plain" && secure === undefined)
    context.addIssue("sasl plain would show the password: it needs tls");
}
