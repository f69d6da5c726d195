// What a file is, told by its path: a key, a login, a browser's store, the configuration of an agent. Knows names
// only; opens nothing.

/** Classes of files, and the paths that belong to each. Every pattern is anchored by a name and has no nested
 * repetition; `END` stands where the name must end. */
const END = String.raw`(?![\w.-]*[\w-])`;
const SEP = String.raw`[\\/]`;
const CLASSES: readonly (readonly [string, readonly string[]])[] = [
  [
    "ssh_key",
    [
      String.raw`\.ssh${SEP}id_[a-z0-9_-]{2,40}(?!\.pub)${END}`,
      String.raw`\.ssh${SEP}[\w.-]{1,60}\.(?:pem|key)${END}`,
      String.raw`${SEP}ssh_host_[a-z0-9]{2,20}_key${END}`,
      String.raw`\.ppk${END}`,
      String.raw`\.gnupg${SEP}(?:private-keys|secring)`,
    ],
  ],
  [
    "cloud_login",
    [
      String.raw`\.aws${SEP}(?:credentials${END}|sso${SEP}cache)`,
      String.raw`gcloud${SEP}(?:application_default_credentials\.json|credentials\.db|access_tokens\.db|legacy_credentials)`,
      String.raw`\.azure${SEP}(?:accessTokens|msal_token_cache|azureProfile)`,
      String.raw`\.kube${SEP}config${END}`,
      String.raw`\.oci${SEP}config${END}`,
      String.raw`credentials\.tfrc\.json`,
      String.raw`(?:kubernetes\.io|${SEP}eks\.amazonaws\.com)${SEP}serviceaccount${SEP}token`,
    ],
  ],
  [
    "token_store",
    [
      String.raw`\.git-credentials${END}`,
      String.raw`(?:^|[\s"'=:(\\/~])[._]netrc${END}`,
      String.raw`(?:~|HOME\}?|root|home${SEP}[^\\/\s]{1,60}|Users${SEP}[^\\/\s]{1,60})${SEP}\.(?:npmrc|pypirc|pgpass|my\.cnf|vault-token|cargo${SEP}credentials(?:\.toml)?|gem${SEP}credentials|m2${SEP}settings\.xml)${END}`,
      String.raw`\.docker${SEP}config\.json`,
      String.raw`\.config${SEP}(?:gh${SEP}hosts|glab-cli${SEP}config)\.yml`,
    ],
  ],
  [
    "agent_login",
    [
      String.raw`\.claude${SEP}\.credentials\.json`,
      String.raw`\.codex${SEP}auth\.json`,
      String.raw`\.gemini${SEP}oauth_creds\.json`,
      String.raw`github-copilot${SEP}(?:hosts|apps)\.json`,
      String.raw`opencode${SEP}auth\.json`,
    ],
  ],
  [
    "browser_store",
    [
      String.raw`(?:Chrome|Chromium|Edge|Brave-Browser|Opera|Vivaldi|User Data)[^"'\n]{0,80}${SEP}(?:Login Data|Cookies|Web Data|Local State)`,
      String.raw`${SEP}(?:logins\.json|key4\.db|cookies\.sqlite|Cookies\.binarycookies)${END}`,
    ],
  ],
  [
    "wallet",
    [
      String.raw`${SEP}wallet\.dat${END}`,
      String.raw`\.(?:electrum|ethereum|bitcoin|monero)${SEP}`,
      String.raw`solana${SEP}id\.json`,
      String.raw`${SEP}(?:Exodus|Ledger Live|Atomic)${SEP}`,
    ],
  ],
  [
    "password_store",
    [
      String.raw`\.kdbx${END}`,
      String.raw`\.password-store${SEP}`,
      String.raw`Library${SEP}Keychains${SEP}`,
      String.raw`\.local${SEP}share${SEP}keyrings${SEP}`,
    ],
  ],
  [
    "system_login",
    [
      String.raw`${SEP}etc${SEP}(?:shadow|gshadow|sudoers|master\.passwd)${END}`,
      String.raw`config${SEP}(?:SAM|SECURITY)${END}`,
      String.raw`ntds\.dit${END}`,
    ],
  ],
  [
    "process_memory",
    [String.raw`${SEP}proc${SEP}(?:self|\d{1,9}|\*|\$\w{1,20})${SEP}(?:environ|mem|maps)${END}`],
  ],
  [
    "environment",
    [
      String.raw`(?:^|[\s"'=:(\\/@<])\.env(?:\.(?!example|sample|template|dist|test|schema)[a-z]{2,20})?${END}`,
    ],
  ],
  ["shell_history", [String.raw`\.(?:bash|zsh|python|psql|mysql|node_repl)_history${END}`]],
  [
    "agent_configuration",
    [
      String.raw`(?:^|[\s"'=(\\/])\.mcp\.json${END}`,
      String.raw`claude_desktop_config\.json`,
      String.raw`(?:^|[\s"'=(\\/~])\.claude\.json${END}`,
      String.raw`\.claude${SEP}settings(?:\.local)?\.json`,
      String.raw`managed-settings\.json`,
      String.raw`\.(?:cursor|vscode|kiro${SEP}settings)${SEP}(?:mcp|hooks)\.json`,
      String.raw`\.codex${SEP}(?:config\.toml|hooks\.json)`,
      String.raw`\.(?:gemini|qwen)${SEP}settings\.json`,
      String.raw`\.copilot${SEP}mcp-config\.json`,
      String.raw`windsurf${SEP}mcp_config\.json`,
      String.raw`opencode\.jsonc?${END}`,
      String.raw`openclaw\.json${END}`,
    ],
  ],
  [
    "agent_instructions",
    [
      String.raw`(?:^|[\s"'=(\\/])(?:CLAUDE(?:\.local)?|AGENTS|GEMINI|QWEN)\.md${END}`,
      String.raw`\.(?:cursorrules|windsurfrules|clinerules)${END}`,
      String.raw`\.github${SEP}copilot-instructions\.md`,
      String.raw`\.(?:cursor|windsurf|kiro)${SEP}(?:rules|steering)${SEP}`,
      String.raw`\.claude${SEP}(?:skills|agents|commands|rules)${SEP}`,
      String.raw`\.claude${SEP}projects${SEP}[^\\/\s]{1,200}${SEP}memory${SEP}`,
    ],
  ],
  [
    "agent_record",
    [
      String.raw`\.claude${SEP}projects${SEP}[^\\/\s]{1,200}(?:${SEP}[\w*-]{1,80})?(?:\.jsonl|${SEP}\*)`,
      String.raw`\.claude${SEP}projects(?:${SEP}\*?)?(?=["'\s]|$)`,
      String.raw`\.codex${SEP}(?:sessions|history\.jsonl)`,
      String.raw`\.copilot${SEP}session-state`,
      String.raw`\.gemini${SEP}tmp${SEP}[^\\/\s]{1,100}${SEP}chats`,
    ],
  ],
  [
    "startup",
    [
      String.raw`(?:~|HOME\}?|root|home${SEP}[^\\/\s]{1,60}|Users${SEP}[^\\/\s]{1,60})${SEP}\.(?:bashrc|zshrc|zshenv|profile|bash_profile|bash_login|zprofile)${END}`,
      String.raw`${SEP}etc${SEP}(?:cron|profile|rc\.local|systemd${SEP}system|ld\.so\.preload|init\.d)`,
      String.raw`${SEP}var${SEP}spool${SEP}cron`,
      String.raw`\.config${SEP}(?:systemd${SEP}user|autostart)${SEP}`,
      String.raw`Library${SEP}Launch(?:Agents|Daemons)${SEP}`,
      String.raw`Start Menu${SEP}Programs${SEP}Startup`,
      String.raw`\.ssh${SEP}(?:authorized_keys|rc|config)${END}`,
      String.raw`\.git${SEP}hooks${SEP}[a-z-]{3,30}(?!\.sample)${END}`,
    ],
  ],
];

const PATTERNS = CLASSES.map(([name, list]) => ({ name, pattern: new RegExp(list.join("|"), "i") }));
// Names of which every path of a class has one.
const MAYBE =
  /[\\/~._](?:ssh|aws|azure|kube|oci|env|mcp|claude|codex|gemini|qwen|copilot|cursor|vscode|kiro|windsurf|clinerules|git-cred|git[\\/]hooks|netrc|npmrc|pypirc|pgpass|my\.cnf|vault|cargo|gem|m2|docker|config|gnupg|kdbx|password-store|local|etc|proc|var|library|bash|zsh|profile|python_|psql_|mysql_|node_repl_|ppk|electrum|ethereum|bitcoin|monero|opencode|openclaw|github|managed)|gcloud|tfrc|serviceaccount|login data|cookies|web data|local state|logins\.json|key4\.db|wallet\.dat|solana|exodus|ledger live|atomic|ntds|config[\\/]s|(?:claude|agents|gemini|qwen)\b|start menu|managed-settings/i;

/** Classes of a path, in the order of the table; undefined for none, as for nearly all. */
export function fileClasses(path: string): string[] | undefined {
  if (!MAYBE.test(path)) return undefined;
  let found: string[] | undefined;
  for (let i = 0; i < PATTERNS.length; i++) {
    if (PATTERNS[i]!.pattern.test(path)) (found ??= []).push(PATTERNS[i]!.name);
  }
  return found;
}

/** Whether a text may name a file of some class. */
export function mayNameFile(text: string): boolean {
  return MAYBE.test(text);
}
