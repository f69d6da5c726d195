// A disk that forgets: keeps what was written and what was made durable apart, and gives the directory that a power cut at
// any moment may leave. Operations go through to real files, so that what is under test reads as always; what reached the
// disk is this file's own account. Strict where systems are kind: a new name lasts only once its directory was synced.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

type Change =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly size: number }
  | { readonly kind: "set"; readonly name: string; readonly node: Node }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly node: Node };
type Step =
  | { readonly node: Node; readonly change: Change }
  | { readonly node: Node; readonly synced: number };

/** A file or a directory, with everything that was ever done to it. */
class Node {
  readonly isDirectory: boolean;
  readonly names = new Map<string, Node>();
  size = 0;
  changes = 0;
  constructor(isDirectory: boolean) {
    this.isDirectory = isDirectory;
  }
}

/** Decides of each change that was not synced whether it reached the disk. */
export interface Luck {
  keeps(): boolean;
  /** How much of a write that was kept reached the disk, from 0 to 1. */
  part(): number;
}
export const NOTHING: Luck = { keeps: () => false, part: () => 0 };
export const EVERYTHING: Luck = { keeps: () => true, part: () => 1 };

export class Disk {
  readonly root: string;
  readonly #top = new Node(true);
  readonly #steps: Step[] = [];

  constructor(root: string) {
    this.root = root;
  }

  /** Changes and syncs so far: the moments at which power can fail. */
  get moments(): number {
    return this.#steps.length;
  }

  knows(path: string): boolean {
    return path === this.root || path.startsWith(`${this.root}/`);
  }

  find(path: string): Node | undefined {
    let at: Node | undefined = this.#top;
    for (const name of path.slice(this.root.length).split("/")) if (name !== "") at = at?.names.get(name);
    return at;
  }

  /** A directory with those above it that are missing. */
  makeDirectory(path: string): void {
    if (this.find(path) !== undefined) return;
    this.makeDirectory(dirname(path));
    this.#add(path, new Node(true));
  }

  open(path: string, flags: string): Node {
    const found = this.find(path);
    if (found === undefined) return this.#add(path, new Node(false));
    if (flags.startsWith("w") && found.size > 0) this.truncate(found, 0);
    return found;
  }

  write(node: Node, at: number, bytes: Uint8Array): void {
    node.size = Math.max(node.size, at + bytes.length);
    this.#change(node, { kind: "write", at, bytes: Buffer.from(bytes) });
  }

  truncate(node: Node, size: number): void {
    node.size = size;
    this.#change(node, { kind: "truncate", size });
  }

  rename(from: string, to: string): void {
    const parent = this.find(dirname(from))!;
    const node = parent.names.get(basename(from))!;
    if (dirname(from) !== dirname(to)) throw new Error("the disk renames within a directory only");
    parent.names.delete(basename(from));
    parent.names.set(basename(to), node);
    this.#change(parent, { kind: "rename", from: basename(from), to: basename(to), node });
  }

  link(from: string, to: string): void {
    this.#add(to, this.find(from)!);
  }

  remove(path: string): void {
    const parent = this.find(dirname(path));
    if (parent?.names.delete(basename(path)) !== true) return;
    this.#change(parent, { kind: "remove", name: basename(path) });
  }

  /** To be called when a sync has ended, with what `changes` was when it began. */
  sync(node: Node, changes: number): void {
    this.#steps.push({ node, synced: changes });
  }

  #add(path: string, node: Node): Node {
    const parent = this.find(dirname(path));
    if (parent === undefined) throw new Error(`the disk has no ${dirname(path)}`);
    parent.names.set(basename(path), node);
    this.#change(parent, { kind: "set", name: basename(path), node });
    return node;
  }

  #change(node: Node, change: Change): void {
    node.changes++;
    this.#steps.push({ node, change });
  }

  /** What a file of this path held after `moment` steps, for whoever read it then; undefined when there was none. */
  seenAt(moment: number, path: string): string | undefined {
    const { changes } = this.#until(moment);
    let at: Node | undefined = this.#top;
    for (const name of path.slice(this.root.length + 1).split("/"))
      at = at === undefined ? undefined : namesOf(changes.get(at) ?? []).get(name);
    return at === undefined ? undefined : contentOf(changes.get(at) ?? [], Infinity, EVERYTHING).toString();
  }

  #until(moment: number): { changes: Map<Node, Change[]>; synced: Map<Node, number> } {
    const changes = new Map<Node, Change[]>();
    const synced = new Map<Node, number>();
    for (const step of this.#steps.slice(0, moment)) {
      if ("synced" in step) synced.set(step.node, Math.max(step.synced, synced.get(step.node) ?? 0));
      else if (changes.get(step.node)?.push(step.change) === undefined) changes.set(step.node, [step.change]);
    }
    return { changes, synced };
  }

  /** Writes to `into` what is left when power fails after `moment` steps. */
  failAt(moment: number, luck: Luck, into: string): void {
    const { changes, synced } = this.#until(moment);
    const left = (node: Node): Change[] => {
      const all = changes.get(node) ?? [];
      const durable = synced.get(node) ?? 0;
      return all.filter((_, i) => i < durable || luck.keeps());
    };
    const put = (node: Node, path: string): void => {
      if (!node.isDirectory) {
        const content = contentOf(left(node), synced.get(node) ?? 0, luck);
        return writeFileSync(path, content, { mode: 0o600 });
      }
      mkdirSync(path, { recursive: true, mode: 0o700 });
      for (const [name, child] of namesOf(left(node))) put(child, join(path, name));
    };
    put(this.#top, into);
  }
}

function namesOf(changes: readonly Change[]): Map<string, Node> {
  const names = new Map<string, Node>();
  for (const change of changes) {
    if (change.kind === "set") names.set(change.name, change.node);
    else if (change.kind === "remove") names.delete(change.name);
    else if (change.kind === "rename") {
      names.delete(change.from);
      names.set(change.to, change.node);
    }
  }
  return names;
}

function contentOf(changes: readonly Change[], durable: number, luck: Luck): Buffer {
  let content = Buffer.alloc(0);
  for (const [i, change] of changes.entries()) {
    if (change.kind === "truncate") {
      const cut = Buffer.alloc(change.size);
      content.copy(cut);
      content = cut;
    } else if (change.kind === "write") {
      const length = i < durable ? change.bytes.length : Math.floor(change.bytes.length * luck.part());
      const end = change.at + length;
      // What lies between is a hole: zeros.
      if (end > content.length) content = Buffer.concat([content, Buffer.alloc(end - content.length)]);
      change.bytes.copy(content, change.at, 0, length);
    }
  }
  return content;
}
