// Asking the server: JSON, lines as they come, actions, files to keep. What goes wrong is a Problem with its remedy; nothing is
// tried again unasked.
import type { Problem } from "../api.ts";

export type Params = Readonly<Record<string, string | number | undefined>>;

export class AskError extends Error {
  readonly problem: Problem;
  readonly status: number;
  constructor(problem: Problem, status: number) {
    super(problem.message);
    this.problem = problem;
    this.status = status;
  }
}

const GONE: Problem = {
  code: "NO_ANSWER",
  message: "The viewer's server does not answer.",
  remedy: "See whether `tapline run` is still running where it was started, then ask again.",
};

export const problemOf = (error: unknown): Problem =>
  error instanceof AskError
    ? error.problem
    : { code: "PAGE", message: error instanceof Error ? error.message : String(error) };

export function address(path: readonly string[], params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `/api/${path.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...init });
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    throw new AskError(GONE, 0);
  }
  if (answer.ok) return answer;
  let problem: Problem = { code: `HTTP_${answer.status}`, message: `The server answered ${answer.status}.` };
  try {
    const body = (await answer.json()) as Partial<Problem>;
    if (typeof body.message === "string") problem = { ...problem, ...body };
  } catch {
    // The status alone has to do.
  }
  if (answer.status === 401 && problem.remedy === undefined)
    problem = { ...problem, remedy: "Open the link that `tapline run` printed when it started." };
  throw new AskError(problem, answer.status);
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(url, signal === undefined ? {} : { signal })).json()) as T;
}

/** Calls `each` with the lines of an answer, in groups as they arrive. */
export async function lines(
  url: string,
  each: (lines: readonly unknown[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const answer = await ask(url, { signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop()!;
    if (parts.length > 0)
      each(parts.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown));
  }
  if (rest.trim() !== "") each([JSON.parse(rest) as unknown]);
}

const posting = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export async function post<T>(url: string, body: unknown): Promise<T> {
  return (await (await ask(url, posting(body))).json()) as T;
}

/** Hands a file to the browser under the name that the server gives it. */
export async function download(url: string, body: unknown, fallback: string): Promise<string> {
  const answer = await ask(url, posting(body));
  const given = /filename="([\w.-]+)"/.exec(answer.headers.get("content-disposition") ?? "");
  const name = given?.[1] ?? fallback;
  const object = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = object;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(object), 60_000);
  return name;
}
