// Words by which text speaks to an agent instead of informing it: what somebody is told to do, and who is meant. Words
// of ordinary English and their roles; no phrase of any attack. Pure tables.

/** Roles of a word, as bits. */
export const VERB = 1; // something an agent can be told to do
export const FILLER = 2; // may stand between the start of a clause and its verb
export const MODAL = 4;
export const YOU = 8;
export const AGENT = 16; // names what runs the tools
export const OVERRIDE = 32; // cancels what was said before
export const TASK = 64; // what the agent is at
export const TOOL = 128;
export const PRIOR = 256;
export const SECRET = 512; // something is to be kept from somebody
export const FRAME = 1024; // calls for attention when it stands in capitals or before a colon
export const TO = 2048;
export const AND = 4096;
export const STOP = 8192; // says nothing of what a text is about
export const MONTH = 16384;
export const ME = 32768;
export const WHEN = 65536; // opens a clause that the order comes after

const ROLES: readonly (readonly [number, string])[] = [
  [
    VERB,
    `send email mail forward post publish upload transfer pay delete remove create make book reserve schedule invite add
    share visit open go fetch get read search list find retrieve change update modify set reset reply respond run
    execute call use invoke write append copy move download install reveal include encode concatenate collect
    summarize summarise print output give grant enable disable cancel buy purchase order message notify submit register
    store save put insert attach provide commit push merge replace rename deploy approve accept unlock wire
    withdraw refund subscribe unsubscribe block report export dump leak expose post tweet dm ping browse navigate click
    load access look check query extract gather combine edit adjust redirect start stop launch do perform follow say
    ignore disregard forget override bypass tell proceed ensure increase raise promote assign close kick ban`,
  ],
  [
    FILLER,
    `please then first firstly second secondly third finally lastly also now next kindly just do always immediately
    afterwards again simply quickly instead so ok okay hey hi hello dear`,
  ],
  [
    MODAL,
    "should must need needs have shall can could would will want wants may might going required asked supposed",
  ],
  [YOU, "you u ye"],
  [
    AGENT,
    "ai assistant assistants agent agents llm llms chatbot chatbots gpt gpt4 chatgpt claude gemini llama mistral copilot",
  ],
  [
    OVERRIDE,
    "ignore disregard forget override overrides overrule supersede supersedes discard bypass instead cease",
  ],
  [
    TASK,
    "instruction instructions task tasks directive directives command commands prompt goal request job duty",
  ],
  [TOOL, "tool tools function functions arguments parameters api plugin"],
  [
    PRIOR,
    "previous prior above earlier preceding foregoing original initial current beginning existing following",
  ],
  [SECRET, "without never silently secretly quietly confidential covertly dont not"],
  [
    FRAME,
    "important urgent attention todo system admin administrator information instruction instructions warning note override notice critical",
  ],
  [TO, "to"],
  [AND, "and then or before after"],
  [WHEN, "before after if when once while whenever until unless since because"],
  [ME, "i me my mine we our us"],
  [MONTH, "january february march april may june july august september october november december"],
  [
    STOP,
    `the a an and or of to in on at for with by from as is are was were be been it its this that these those i you he
    she we they me my your our their his her not no do does did have has had will would can could should if then so but
    all any each please also s t re there here what which who how when where up out about into over under more most
    please hi hello dear thanks thank best regards`,
  ],
];

const SIZE = 2048;
const keys = new Uint32Array(SIZE);
const values = new Uint32Array(SIZE);
/** Month of a word that is one, by its hash: 1 to 12. */
export const MONTHS = new Map<number, number>();

/** Hash of a word in lower case; the reader computes the same while it reads. */
export function wordHash(word: string): number {
  let h = WORD_SEED;
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), WORD_PRIME);
  return h >>> 0;
}
export const WORD_SEED = 0x811c9dc5 | 0;
export const WORD_PRIME = 0x01000193;

/** Hash of two words in a row. */
export function pair(a: number, b: number): number {
  return (Math.imul(a, 0x9e3779b1) ^ b) >>> 0 || 1;
}

/** Roles of the word of this hash. */
export function rolesOf(hash: number): number {
  for (let at = (hash ^ (hash >>> 15)) & (SIZE - 1); ; at = (at + 1) & (SIZE - 1)) {
    const key = keys[at]!;
    if (key === hash) return values[at]!;
    if (key === 0) return 0;
  }
}

for (const [role, words] of ROLES) {
  words.split(/\s+/).forEach((word, n) => {
    const hash = wordHash(word);
    let at = (hash ^ (hash >>> 15)) & (SIZE - 1);
    while (keys[at] !== 0 && keys[at] !== hash) at = (at + 1) & (SIZE - 1);
    keys[at] = hash;
    values[at]! |= role;
    if (role === MONTH) MONTHS.set(hash, n + 1);
  });
}
