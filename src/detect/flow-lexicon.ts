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
export const LOOKS = 131072; // a verb whose doing changes nothing and gives nothing to others
export const OBLIGES = 262144; // says that something has to be done
export const OWES = 524288; // the same before "to"
export const USER = 1048576;
export const IN_ADDRESS = 4194304; // part of an address, whatever else the word means
/** What a user speaks of who wants something sent to an address, paid into an account, read at a link. */
export const OF_MAIL = 8388608;
export const OF_MONEY = 16777216;
export const OF_WEB = 33554432;
export const TO_ME = 2097152; // the one who asks, as who gets it

const ROLES: readonly (readonly [number, string])[] = [
  [
    VERB,
    `access accept acquire act activate add adjust advise alert allow announce answer append apply appoint approve archive
    arrange ask assemble assign attach authorise authorize back begin block book bring broadcast browse build buy bypass
    call cancel change charge check choose circulate clear click clone close collect combine come commit compile complete
    compose compress concatenate configure confirm connect contact convert convey copy create credit debit decline
    deliver delete deploy deposit describe direct disable disburse disclose dispatch display dispose disregard distribute
    dm do donate download draft drop dump duplicate edit elevate email empty enable encode encrypt encourage enroll ensure
    enter erase establish exchange execute expand explain export expose extend extract fetch file fill find finish flag
    follow forget forward fund gather generate get give go grant hand handle have help identify ignore import include
    increase inform initiate input insert inspect install introduce invite invoke issue join keep kick launch leak leave
    lend let list load locate lock log look lower mail make merge message mirror modify mount move navigate notify
    obtain offer open order output overwrite pass paste pay perform phone ping place point post prepare present print
    proceed process produce promote prompt provide publish pull purchase purge push put quote raise reach read reassign
    recommend record redirect reduce refer refund register reject relay release remit remove rename renew replace reply
    report repost request rerun reroute reschedule reserve reset resolve respond restore retrieve return reveal revoke
    rotate route run save say schedule search select sell send set settle share shift show sign skip speak specify spend
    start state stop store submit subscribe substitute suggest summarise summarize supply suspend swap switch sync tag
    take talk tell terminate text trade transcribe transfer translate transmit trigger tweet unblock uninstall unlock
    unsubscribe update upgrade upload use validate verify view visit wait wipe wire withdraw write
    ban gather browse override`,
  ],
  // The commonest of them in the languages nearest to hand.
  [
    VERB,
    `sende senden schicke schicken sendet leite leiten überweise überweisen zahle bezahle übermittle übermitteln teile
    lösche löschen erstelle erstellen öffne besuche rufe lade veröffentliche poste stelle trage füge ändere aktualisiere
    setze lies schreibe antworte buche reserviere kopiere hole gib mache führe befolge ignoriere
    envía envíe enviar envia envie manda mande reenvía reenvíe reenvia transfiere transfiera paga pague borra borre
    elimina elimine crea cree abre abra visita visite publica publique añade añada cambia cambie actualiza actualice
    escribe escriba reserva reserve copia copie obtén obtenga ignora ignore haz haga comparte comparta
    envoyez envoie transférez transfère virez vire payez paie supprimez supprime créez crée ouvrez ouvre visitez
    publiez publie ajoutez ajoute changez change modifiez modifie écrivez écris réservez réserve copiez copie récupérez
    partagez partage ignorez faites fais donnez
    invia inviare inoltra trasferisci paga cancella elimina crea apri visita pubblica aggiungi cambia scrivi prenota
    condividi ignora encaminhe transfira pague apague crie abra publique adicione altere escreva reserve compartilhe
    stuur verzend betaal verwijder maak bezoek plaats wijzig schrijf boek deel
    отправь отправьте перешли перешлите переведи переведите удали удалите создай создайте открой откройте опубликуй`,
  ],
  [
    FILLER,
    `please then first firstly second secondly third finally lastly also now next kindly just do always immediately
    afterwards again simply quickly instead so ok okay hey hi hello dear kindly additionally furthermore therefore
    thus meanwhile bitte zuerst dann danach außerdem auch por favor primero luego después también veuillez abord puis
    ensuite aussi per favore prima poi anche alstublieft eerst daarna пожалуйста сначала затем`,
  ],
  [
    MODAL,
    "should must need needs have shall can could would will want wants may might going required asked supposed",
  ],
  [YOU, "you u ye"],
  [TO_ME, "me us"],
  [
    OBLIGES,
    "must should shall need needs ought required due muss müssen soll sollen debe deben doit doivent deve devono moet",
  ],
  [OWES, "is are be has have was were"],
  [USER, "user user's users'"],
  [
    LOOKS,
    `find get show tell give list search look check read summarize summarise describe explain compare recommend suggest
    display identify retrieve fetch visit open view verify see say speak help let have go come state obtain extract
    answer print output query inspect load browse navigate select choose begin start keep place provide record need`,
  ],
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
  [
    OF_MAIL,
    `mail mails email emails message messages send write answer reply respond forward invite invitation contact tell ask share
    participant participants attendee attendees introduce inform notify rsvp confirm subscription subscribe apply recipient
    recipients`,
  ],
  [
    OF_MONEY,
    `pay payment payments bill bills invoice invoices transfer money transaction transactions refund refunded donate donation
    rent account accounts iban bank banking wire salary fee fees dues debt spend spent spending split deposit cost costs price
    friend owe send balance amount`,
  ],
  [
    OF_WEB,
    `web page pages webpage website websites site sites homepage link links linked url urls article articles blog online internet
    browse news docs documentation open visit post posts posted publish read search summarize summarise look find refers`,
  ],
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

const SIZE = 4096;
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
