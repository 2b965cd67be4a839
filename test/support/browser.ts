/**
 * A real browser without a window, driven by the DevTools protocol over a pipe (--remote-debugging-pipe: JSON messages that end in a zero
 * byte, on descriptors 3 and 4). Source: "Chrome DevTools Protocol", https://chromedevtools.github.io/devtools-protocol/.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Path of the browser. Throws an error that says what is missing: a test that needs one does not pass without it. */
export function findBrowser(): string {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  for (const file of NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)))) {
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next one.
    }
  }
  throw new Error(`no browser on the path (${NAMES.join(", ")}): install one, such as Debian's package chromium`);
}

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export interface BrowserPage {
  /** Addresses that the page asked for, itself among them. */
  readonly requests: readonly string[];
  /** What went wrong in the page: exceptions, errors of the console, violations of its policy. */
  readonly problems: readonly string[];
  /** Value of an expression in the page. Throws when it throws there. */
  evaluate(expression: string): Promise<unknown>;
  /** Presses a key, as the keyboard does: "f", "Enter", "ArrowDown". */
  press(key: string): Promise<void>;
  type(text: string): Promise<void>;
  /** A click in the middle of the element. */
  click(selector: string): Promise<void>;
  /** "dark" or "light" is what the user prefers. */
  prefer(scheme: "dark" | "light"): Promise<void>;
  /** Bytes of the page as PDF. */
  print(): Promise<Buffer>;
  /** Bytes of a PNG. */
  picture(): Promise<Buffer>;
}

export interface Browser {
  open(url: string): Promise<BrowserPage>;
  close(): Promise<void>;
}

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(path.join(tmpdir(), "eintr-browser-"));
  const options = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const quiet = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,900",
  ];
  const child = spawn(findBrowser(), [...options, ...quiet, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const { send, listen } = connection(child);
  return {
    async open(url) {
      const { targetId } = await send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      return openPage(url, (method, params) => send(method, params, String(sessionId)), listen, String(sessionId));
    },
    async close() {
      await send("Browser.close", {}).catch(() => {});
      const late = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(late);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Send = (method: string, params?: Record<string, unknown>, sessionId?: string) => Promise<Record<string, unknown>>;
type Listen = (hear: (message: Message) => void) => void;

function connection(child: ChildProcess): { send: Send; listen: Listen } {
  const [toBrowser, fromBrowser] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, { resolve(result: Record<string, unknown>): void; reject(error: Error): void }>();
  const hearers: ((message: Message) => void)[] = [];
  let next = 1;
  let rest = "";
  fromBrowser.setEncoding("utf8");
  fromBrowser.on("data", (part: string) => {
    const texts = (rest + part).split("\0");
    rest = texts.pop() ?? "";
    for (const text of texts) {
      const message = JSON.parse(text) as Message;
      const asked = waiting.get(message.id ?? 0);
      waiting.delete(message.id ?? 0);
      if (message.error !== undefined) asked?.reject(new Error(message.error.message));
      else asked?.resolve(message.result ?? {});
      for (const hear of hearers) hear(message);
    }
  });
  toBrowser.on("error", () => {});
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the browser has ended"));
    waiting.clear();
  });
  child.on("error", (error) => {
    for (const { reject } of waiting.values()) reject(error);
  });
  return {
    send(method, params = {}, sessionId) {
      const id = next++;
      toBrowser.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    listen: (hear) => void hearers.push(hear),
  };
}

async function openPage(url: string, send: Send, listen: Listen, session: string): Promise<BrowserPage> {
  const requests: string[] = [];
  const problems: string[] = [];
  let loaded = (): void => {};
  listen(({ sessionId, method, params = {} }) => {
    if (sessionId !== session) return;
    if (method === "Network.requestWillBeSent") requests.push(String((params.request as { url: string }).url));
    if (method === "Runtime.exceptionThrown") problems.push(JSON.stringify(params.exceptionDetails));
    if (method === "Log.entryAdded") problems.push(JSON.stringify(params.entry));
    if (method === "Runtime.consoleAPICalled" && params.type === "error") problems.push(JSON.stringify(params.args));
    if (method === "Page.loadEventFired") loaded();
  });
  for (const domain of ["Page", "Runtime", "Network", "Log", "DOM"]) await send(`${domain}.enable`);
  const ready = new Promise<void>((resolve) => (loaded = resolve));
  await send("Page.navigate", { url });
  await ready;

  const evaluate = async (expression: string): Promise<unknown> => {
    const answer = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = answer as { result: { value?: unknown }; exceptionDetails?: unknown };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  };
  return {
    requests,
    problems,
    evaluate,
    async press(key) {
      const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
      await send("Input.dispatchKeyEvent", { type: "keyDown", key, ...(text === undefined ? {} : { text }) });
      await send("Input.dispatchKeyEvent", { type: "keyUp", key });
    },
    type: async (text) => void (await send("Input.insertText", { text })),
    async click(selector) {
      const place = (await evaluate(
        `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`,
      )) as [number, number];
      const [x, y] = place;
      for (const type of ["mouseMoved", "mousePressed", "mouseReleased"])
        await send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    },
    prefer: async (value) => void (await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] })),
    print: async () => Buffer.from(String((await send("Page.printToPDF", { printBackground: true })).data), "base64"),
    picture: async () => Buffer.from(String((await send("Page.captureScreenshot", { format: "png" })).data), "base64"),
  };
}
