// A broker of Kafka of a test's own, which is away when the test wants it: stopped, so that connections are taken and nothing
// is answered, or killed, so that they are refused, and started again on the same data.
import { endOwn, portOf, startOwn } from "../integration/servers.ts";

/** The ports of the shared one are four. */
const BESIDE = 10;
/** One that was killed is back in seconds. */
const SETTINGS = { SESSION_MS: "9000" };

export class OwnBroker {
  readonly #port: number;
  #pid: number;
  #state: "there" | "hung" | "gone" = "there";

  private constructor(port: number, pid: number) {
    this.#port = port;
    this.#pid = pid;
  }

  /** One without data. `at` is how far its port is from the one that tests share. */
  static async start(at: number = BESIDE): Promise<OwnBroker> {
    const port = portOf("kafka") + at;
    await endOwn("kafka", port);
    return new OwnBroker(port, await startOwn("kafka", port, SETTINGS));
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** One that is gone cannot hang: it stays gone then. */
  async be(wanted: "there" | "hung" | "gone"): Promise<void> {
    if (wanted === this.#state || (wanted === "hung" && this.#state === "gone")) return;
    if (wanted === "gone") process.kill(this.#pid, "SIGKILL");
    else if (wanted === "hung") process.kill(this.#pid, "SIGSTOP");
    else if (this.#state === "hung") process.kill(this.#pid, "SIGCONT");
    else this.#pid = await startOwn("kafka", this.#port, SETTINGS);
    this.#state = wanted;
  }

  /** Ends it and removes its data. */
  async end(): Promise<void> {
    if (this.#state === "hung") process.kill(this.#pid, "SIGCONT");
    await endOwn("kafka", this.#port);
  }
}
