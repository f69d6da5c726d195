// Where a command goes: the host that a program with the network names among its words. Knows programs by name;
// resolves nothing.
import type { Simple } from "./shell.ts";
import { hostOf, isLoopback } from "./url.ts";

export const words = (text: string): Set<string> => new Set(text.split(" "));
export const WEB = words(
  "curl wget http https xh httpie aria2c fetch iwr irm invoke-webrequest invoke-restmethod",
);
export const PIPES = words("nc ncat netcat socat telnet ssh openssl websocat");
export const COPIES = words("scp rsync sftp ftp lftp tftp rclone");
export const NAMES = words("nslookup dig host drill kdig resolvectl ping ping6");
export const MAILS = words("mail mailx sendmail mutt msmtp swaks");
export const SCRIPTS = words("python python2 python3 node deno bun ruby perl php pwsh powershell");

const SCHEME = /^(?:ftps?|sftp|wss?):\/\//i;

/** Host that a command goes to; "" when it goes out to one that it does not name; undefined when it stays here. */
export function reach(one: Simple): string | undefined {
  const { program, args } = one;
  if (WEB.has(program)) return webTarget(args);
  if (COPIES.has(program)) return copyTarget(args, program.endsWith("ftp"));
  if (PIPES.has(program)) return pipeTarget(program, args);
  if (NAMES.has(program)) return nameTarget(args);
  if (MAILS.has(program)) return args.length > 0 ? "" : undefined;
  if (SCRIPTS.has(program)) return scriptTarget(args);
  const said = `${program} ${args.slice(0, 3).join(" ")}`;
  if (
    /^(?:aws s3 (?:cp|mv|sync)|aws s3api put-object|gsutil (?:-m )?(?:cp|rsync|mv)|gcloud storage (?:cp|rsync)|azcopy (?:copy|sync)|az storage blob)/.test(
      said,
    )
  )
    return "";
  return /^(?:gh gist create|gh issue comment|gh pr comment|git push)/.test(said)
    ? gitTarget(args)
    : undefined;
}

const TAKES_VALUE =
  /^(?:-[HdXFToAubeDcm]|--(?:header|data|data-raw|data-binary|data-urlencode|request|form|output|user|cookie|max-time|json|upload-file|post-data|post-file|body-file|body-data|method))$/;

function webTarget(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg.startsWith("-")) {
      // The value of an option is not the address.
      if (TAKES_VALUE.test(arg)) i++;
      continue;
    }
    const host = hostOf(arg.startsWith("http") ? arg : `http://${arg.replace(SCHEME, "")}`);
    if (host === undefined || (host !== "localhost" && !/[.:$]|^\d/.test(host))) continue;
    return isLoopback(host) ? undefined : host.includes("$") ? "" : host;
  }
  return args.some((arg) => /\$|^-[^-]*K|--config/.test(arg)) ? "" : undefined;
}

function copyTarget(args: readonly string[], bare: boolean): string | undefined {
  for (const arg of args) {
    const at =
      /^(?:[a-z]+:\/\/)?(?:[\w.-]+@)?(\[[0-9a-f:]+\]|[\w.-]{2,}):/i.exec(arg) ??
      (bare ? /^([\w-]+(?:\.[\w-]+)+)$/.exec(arg) : null);
    if (at === null || arg.startsWith("/") || arg.startsWith("-")) continue;
    const host = at[1]!.toLowerCase();
    return isLoopback(host) ? undefined : host;
  }
  return undefined;
}

function pipeTarget(program: string, args: readonly string[]): string | undefined {
  if (program === "openssl" && !args.includes("s_client")) return undefined;
  if (/^n(?:c|cat|etcat)$/.test(program) && args.some((arg) => /^-[a-z]*[lz]/.test(arg))) return undefined;
  for (const arg of args) {
    const at =
      /^(?:(?:tcp|udp|openssl|ssl|ws|wss)\S{0,12}?:(?:\/\/)?)?(?:[\w.-]+@)?([\w-]+(?:\.[\w-]+)+|localhost)(?::\d+)?(?:[/,].*)?$/i.exec(
        arg,
      );
    if (at === null || arg.startsWith("-") || /^\.?\//.test(arg)) continue;
    const host = at[1]!.toLowerCase();
    return isLoopback(host) ? undefined : host;
  }
  return program === "ssh" && args.length > 0 ? "" : undefined;
}

function nameTarget(args: readonly string[]): string | undefined {
  const name = args.find(
    (arg) => !arg.startsWith("-") && !arg.startsWith("+") && !arg.startsWith("@") && arg.includes("."),
  );
  if (name === undefined) return undefined;
  const plain = name
    .replace(/\$\([^)]*\)|`[^`]*`|\$\{?\w+\}?/g, "")
    .replace(/^[.-]+/, "")
    .toLowerCase();
  return isLoopback(plain) ? undefined : plain;
}

function scriptTarget(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => /^(?:-c|-e|--eval|-command|-r)$/i.test(arg));
  const code = at === -1 ? undefined : args[at + 1];
  if (code === undefined) return undefined;
  if (
    !/\b(?:requests\.|urlopen|urllib|http\.client|httpx\.|fetch\(|axios|socket|smtplib|Net::HTTP|LWP|file_get_contents|Invoke-)/i.test(
      code,
    )
  )
    return undefined;
  const url = /https?:\/\/[^\s"'`)]+/.exec(code);
  const host = url === null ? "" : (hostOf(url[0]) ?? "");
  return isLoopback(host) ? undefined : host;
}

/** Only a push to an address that it names itself says where it goes; to a remote's name it is everyday work. */
function gitTarget(args: readonly string[]): string | undefined {
  if (args[0] === "gist") return "gist.github.com";
  if (args[0] !== "push") return "github.com";
  for (const arg of args) {
    const at = /^(?:https?:\/\/(?:[^@/\s]+@)?|ssh:\/\/(?:[^@/\s]+@)?|[\w.-]+@)([\w.-]+)[:/]/.exec(arg);
    if (at !== null) return at[1]!.toLowerCase();
  }
  return undefined;
}
