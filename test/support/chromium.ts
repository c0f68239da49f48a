import { spawn, spawnSync } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** Where a browser is; null where there is none, and then nothing is opened in one. */
export function findChromium(): string | null {
  const asked = process.env["THAWLINE_TEST_CHROMIUM"];
  const names = asked === undefined ? ["chromium", "chromium-browser", "google-chrome"] : [asked];
  return names.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0) ?? null;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A page in a browser without a window, spoken to through pipes. */
export class OpenPage {
  readonly requests: string[] = [];
  /** What the console said, exceptions included. */
  readonly said: string[] = [];
  #next = 1;
  #session: string | undefined;
  readonly #waiting = new Map<
    number,
    { done: (result: Record<string, unknown>) => void; failed: (e: Error) => void }
  >();
  readonly #events = new Map<string, () => void>();

  private constructor(
    private readonly child: ReturnType<typeof spawn>,
    private readonly input: Writable,
    output: Readable,
  ) {
    let rest = "";
    output.setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop()!;
      for (const message of messages) this.#hear(JSON.parse(message) as Answer);
    });
    child.on("exit", () => {
      for (const { failed } of this.#waiting.values()) failed(new Error("the browser ended"));
    });
  }

  static async open(browser: string, url: string, profile: string): Promise<OpenPage> {
    const flags = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--remote-debugging-pipe",
      `--user-data-dir=${profile}`,
    ];
    const child = spawn(browser, [...flags, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    const page = new OpenPage(child, child.stdio[3] as Writable, child.stdio[4] as Readable);
    const { targetInfos } = (await page.send("Target.getTargets")) as {
      targetInfos: { type: string; targetId: string }[];
    };
    const { targetId } = targetInfos.find(({ type }) => type === "page")!;
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = sessionId as string;
    for (const domain of ["Page", "Network", "Runtime", "Log"]) await page.send(`${domain}.enable`);
    await page.#load("Page.navigate", { url });
    return page;
  }

  async reload(): Promise<void> {
    await this.#load("Page.reload");
  }

  async #load(method: string, params: object = {}): Promise<void> {
    const loaded = new Promise<void>((done) => this.#events.set("Page.loadEventFired", done));
    await this.send(method, params);
    await loaded;
    // The first drawing comes with the first frame.
    await this.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    this.input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((done, failed) => this.#waiting.set(id, { done, failed }));
  }

  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: unknown }).value;
  }

  async close(): Promise<void> {
    const gone = new Promise((done) => this.child.once("exit", done));
    this.child.kill("SIGKILL");
    await gone;
  }

  #hear({ id, method, params = {}, result, error }: Answer): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error !== undefined) waiting?.failed(new Error(error.message));
      else waiting?.done(result ?? {});
      return;
    }
    if (method === "Network.requestWillBeSent") this.requests.push((params["request"] as { url: string }).url);
    if (method === "Runtime.consoleAPICalled" || method === "Runtime.exceptionThrown" || method === "Log.entryAdded")
      this.said.push(JSON.stringify(params));
    this.#events.get(method ?? "")?.();
  }
}
