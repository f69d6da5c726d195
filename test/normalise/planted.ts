// Made-up secrets of every shape, drawn at random, and texts that hold them. Nothing here was ever issued.
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const ALNUM = UPPER + LOWER + DIGITS;
const HEX = "0123456789abcdef";
const BASE32 = UPPER + "234567";
const DASHED = ALNUM + "_-";

export interface Planted {
  readonly rule: string;
  readonly secret: string;
  /** The secret with the text around it that the rule needs. */
  readonly text: string;
}

const b64 = (text: string): string => Buffer.from(text).toString("base64");
const url64 = (text: string): string => Buffer.from(text).toString("base64url");

/** One secret of each rule. */
export function plantedSecrets(next: () => number): Planted[] {
  const r = (alphabet: string, n: number): string =>
    Array.from({ length: n }, () => alphabet[Math.floor(next() * alphabet.length)]).join("");
  const pem = `-----BEGIN RSA PRIVATE KEY-----\n${r(ALNUM + "+/", 64)}\n${r(ALNUM + "+/", 64)}\n-----END RSA PRIVATE KEY-----`;
  const password = `${r(LOWER, 5)}${r(DIGITS, 3)}!${r(UPPER, 4)}`;
  const whole: Record<string, string> = {
    "aws-access-key": "AKIA" + r(BASE32, 16),
    "aws-bedrock-key": "ABSK" + r(ALNUM, 128),
    "aws-bedrock-short-key": "bedrock-api-key-" + r(ALNUM, 60),
    "gcp-api-key": "AIza" + r(DASHED, 34) + "x",
    "gcp-oauth-secret": "GOCSPX-" + r(DASHED, 28),
    "gcp-oauth-token": "ya29." + r(DASHED, 120),
    "azure-client-secret": "a1B8Q~" + r(ALNUM, 34),
    "github-token": "ghp_" + r(ALNUM, 36),
    "github-fine-grained-token": "github_pat_" + r(ALNUM, 22) + "_" + r(ALNUM, 59),
    "gitlab-token": "glpat-" + r(ALNUM, 20),
    "slack-token": "xoxb-" + r(DIGITS, 12) + "-" + r(DIGITS, 12) + "-" + r(ALNUM, 24),
    "telegram-bot-token": r("123456789", 10) + ":AA" + r(DASHED, 32) + "x",
    "openai-key": "sk-proj-" + r(ALNUM, 74) + "T3BlbkFJ" + r(ALNUM, 74),
    "openai-legacy-key": "sk-" + r(ALNUM, 20) + "T3BlbkFJ" + r(ALNUM, 20),
    "anthropic-key": "sk-ant-api03-" + r(DASHED, 93) + "AA",
    "openrouter-key": "sk-or-v1-" + r(HEX, 64),
    "langchain-key": "lsv2_pt_" + r(HEX, 32) + "_" + r(HEX, 10),
    "groq-key": "gsk_" + r(ALNUM, 52),
    "xai-key": "xai-" + r(ALNUM, 80),
    "perplexity-key": "pplx-" + r(ALNUM, 48),
    "replicate-token": "r8_" + r(ALNUM, 37),
    "huggingface-token": "hf_" + r(ALNUM, 34),
    "stripe-key": "sk_live_" + r(ALNUM, 24),
    "square-token": "sq0atp-" + r(ALNUM, 22),
    "shopify-token": "shpat_" + r(HEX, 32),
    "npm-token": "npm_" + r(ALNUM, 36),
    "pypi-token": "pypi-AgE" + r(ALNUM, 120),
    "rubygems-token": "rubygems_" + r(HEX, 48),
    "docker-token": "dckr_pat_" + r(ALNUM, 27),
    "databricks-token": "dapi" + r(HEX, 32),
    "digitalocean-token": "dop_v1_" + r(HEX, 64),
    "heroku-key": "HRKU-" + r(ALNUM, 60),
    "flyio-token": "fo1_" + r(ALNUM, 43),
    "vault-token": "hvs." + r(ALNUM, 95),
    "terraform-token": r(ALNUM, 14) + ".atlasv1." + r(ALNUM, 67),
    "doppler-token": "dp.pt." + r(ALNUM, 43),
    "grafana-token": "glsa_" + r(ALNUM, 32) + "_" + r(HEX, 8),
    "sentry-token": "sntryu_" + r(HEX, 64),
    "newrelic-key": "NRAK-" + r(UPPER + DIGITS, 27),
    "sendgrid-key": "SG." + r(ALNUM, 22) + "." + r(ALNUM, 43),
    "mailgun-key": "key-" + r(HEX, 32),
    "twilio-key": "SK" + r(HEX, 32),
    "postman-key": "PMAK-" + r(HEX, 24) + "-" + r(HEX, 34),
    "linear-key": "lin_api_" + r(ALNUM, 40),
    "notion-token": "ntn_" + r(ALNUM, 46),
    "atlassian-token": "ATATT3" + r(ALNUM, 186),
    "figma-token": "figd_" + r(ALNUM, 40),
    "planetscale-token": "pscale_tkn_" + r(ALNUM, 43),
    "supabase-key": "sbp_" + r(HEX, 40),
    "onepassword-token": "ops_eyJ" + r(ALNUM, 300),
    "age-secret-key": "AGE-SECRET-KEY-1" + r(BASE32, 58),
    "facebook-token": "EAAM" + r(ALNUM, 120),
    jwt: [
      url64('{"alg":"HS256","typ":"JWT"}'),
      url64(`{"sub":"${r(DIGITS, 9)}","name":"x"}`),
      r(ALNUM, 43),
    ].join("."),
    "private-key": pem,
    "private-key-base64": "LS0tLS1CRUdJTi" + r(ALNUM, 200),
  };
  const within: readonly (readonly [string, string, (secret: string) => string])[] = [
    ["azure-storage-key", r(ALNUM, 86) + "==", (s) => `DefaultEndpointsProtocol=https;AccountKey=${s};`],
    ["azure-sas-signature", r(ALNUM, 43) + "%3D", (s) => `?sv=2024-01-01&sig=${s}&se=2026`],
    [
      "slack-webhook",
      `T${r(UPPER, 8)}/B${r(UPPER, 8)}/${r(ALNUM, 24)}`,
      (s) => `hooks.slack.com/services/${s}`,
    ],
    ["discord-webhook", `${r(DIGITS, 18)}/${r(ALNUM, 68)}`, (s) => `https://discord.com/api/webhooks/${s}`],
    [
      "teams-webhook",
      `${r(HEX, 36)}@${r(HEX, 36)}/IncomingWebhook/${r(HEX, 32)}/${r(HEX, 36)}`,
      (s) => `https://x.webhook.office.com/webhookb2/${s}`,
    ],
    ["npm-legacy-token", r(ALNUM, 40), (s) => `//registry.example/:_authToken=${s}`],
    ["url-password", password, (s) => `postgres://admin:${s}@db.example:5432/app`],
    ["bearer-token", "9" + r(ALNUM, 40), (s) => `curl -H 'X: Bearer ${s}' https://api.example`],
    ["basic-auth", b64(`user:${password}`), (s) => `Proxy: Basic ${s}`],
    ["authorization", "7" + r(ALNUM, 30), (s) => `Authorization: ${s}`],
    ["basic-auth-option", password, (s) => `curl -u admin:${s} https://api.example`],
    ["password", password, (s) => `mysql --password=${s} shop`],
    ["password", password, (s) => `{"db_password": "${s}"}`],
    ["password", r(LOWER, 12), (s) => `PASSWORD='${s}'`],
    ["pwd", password, (s) => `Server=db;Uid=sa;Pwd=${s};`],
    ["secret", "4" + r(ALNUM + "/+", 39), (s) => `aws_secret_access_key = ${s}`],
    ["secret", "5" + r(ALNUM, 31), (s) => `export API_KEY="${s}"`],
    ["secret", "6" + r(ALNUM, 31), (s) => `{"clientSecret":"${s}"}`],
  ];
  return [
    ...Object.entries(whole).map(([rule, secret]) => ({ rule, secret, text: secret })),
    ...within.map(([rule, secret, text]) => ({ rule, secret, text: text(secret) })),
  ];
}
