// By which names a listener may be called. A page in a browser that has its own name point to this host (DNS rebinding)
// calls it by that name, and is refused by it.
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

export const isLoopback = (host: string): boolean => LOOPBACK.includes(host) || /^127\.[\d.]+$/.test(host);

/** The host of `host:port` as a name or address alone, in lower case; undefined when it is none. */
export function hostOf(authority: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\]|([\w.-]+?)\.?)(?::\d{1,5})?$/i.exec(authority) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** `host:port` with both; undefined when it is not that. */
export function listenAddress(text: string): Address | undefined {
  const host = hostOf(text);
  const port = Number(/:(\d{1,5})$/.exec(text)?.[1] ?? Number.NaN);
  return host === undefined || !(port <= 65_535) ? undefined : { host, port };
}

export class OwnHosts {
  readonly #names: ReadonlySet<string>;

  /** `names` beside those of loopback. */
  constructor(names: readonly string[]) {
    this.#names = new Set([...LOOPBACK, ...names].map((name) => name.toLowerCase()));
  }

  /** Whether the Host header of a request names this host. An address is no name: it may be the one it came to. */
  named(req: IncomingMessage): boolean {
    const host = hostOf(req.headers.host ?? "");
    const reached = req.socket.localAddress?.replace(/^::ffff:/, "");
    return host !== undefined && (this.#names.has(host) || (isIP(host) !== 0 && host === reached));
  }
}
