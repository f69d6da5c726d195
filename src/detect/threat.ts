// Sigma tags to ECS threat fields: ATT&CK (`attack.*`) and ATLAS (`atlas.*`). Other namespaces are not threats.

const TACTICS: Readonly<Record<string, string>> = {
  reconnaissance: "Reconnaissance",
  "resource-development": "Resource Development",
  "initial-access": "Initial Access",
  "ai-model-access": "AI Model Access",
  execution: "Execution",
  persistence: "Persistence",
  "privilege-escalation": "Privilege Escalation",
  stealth: "Stealth",
  "defense-evasion": "Defense Evasion",
  "defense-impairment": "Defense Impairment",
  "credential-access": "Credential Access",
  discovery: "Discovery",
  "lateral-movement": "Lateral Movement",
  collection: "Collection",
  "ai-attack-staging": "AI Attack Staging",
  "command-and-control": "Command and Control",
  exfiltration: "Exfiltration",
  impact: "Impact",
};

/** As tags write them. */
export const TACTIC_NAMES: readonly string[] = Object.keys(TACTICS);

export interface Threat {
  readonly framework: string | undefined;
  readonly tactics: readonly string[] | undefined;
  readonly techniques: readonly string[] | undefined;
}

function listOf(set: Set<string>): string[] | undefined {
  return set.size === 0 ? undefined : [...set];
}

/** `atlas.t0086` → AML.T0086, `attack.t1552.001` → T1552.001, `attack.exfiltration` → Exfiltration. */
export function threatOf(tags: readonly string[]): Threat {
  const tactics = new Set<string>();
  const techniques = new Set<string>();
  const frameworks = new Set<string>();
  for (const tag of tags) {
    const [namespace, ...rest] = tag.toLowerCase().split(".");
    if (namespace !== "attack" && namespace !== "atlas") continue;
    const name = rest.join(".");
    const tactic = TACTICS[name.replaceAll("_", "-")];
    if (tactic !== undefined) tactics.add(tactic);
    else if (/^(aml\.)?t\d{4}(\.\d{3})?$/.test(name)) {
      const id = name.replace(/^aml\./, "").toUpperCase();
      techniques.add(namespace === "atlas" ? `AML.${id}` : id);
    } else continue;
    frameworks.add(namespace === "atlas" ? "MITRE ATLAS" : "MITRE ATT&CK");
  }
  const framework = frameworks.has("MITRE ATLAS") ? "MITRE ATLAS" : [...frameworks][0];
  return { framework, tactics: listOf(tactics), techniques: listOf(techniques) };
}
