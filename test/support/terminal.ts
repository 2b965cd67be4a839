/** Terminals of tmux, driven by keys. */

import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";

const SOCKET = `eintr-test-${process.pid}`;
const WAIT_MS = 20_000;
/** A screen that is still being drawn becomes the wanted one within this time; on a busy machine it takes some. */
const SETTLE_MS = 20_000;
const POLL_MS = 20;
/** Where nothing tells that a key was taken, so long is waited before the next. */
const KEY_MS = 60;

const SERVER = ["-L", SOCKET, "-f", "/dev/null"];
export const tmux = (...args: string[]): string => execFileSync("tmux", [...SERVER, ...args], { encoding: "utf8" });
const run = promisify(execFile);
/** Others are driven meanwhile. */
const tmuxAsync = async (...args: string[]): Promise<string> => (await run("tmux", [...SERVER, ...args])).stdout;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A server of this file's own, for as long as its tests run. */
export function useTerminals(): void {
  // The server ends with its last player: one stays to the end.
  beforeAll(() => void tmux("new-session", "-d", "-s", "keep", "cat"));
  afterAll(() => {
    try {
      tmux("kill-server");
    } catch {
      // No player is left.
    }
  });
}

let sessions = 0;

export class Terminal {
  readonly name = `s${sessions++}`;

  constructor(width: number, height: number, command: string, cwd = ".") {
    const size = ["-x", String(width), "-y", String(height)];
    tmux("new-session", "-d", "-s", this.name, ...size, "-c", cwd, `env -u NO_COLOR LANG=C.UTF-8 ${command}`);
  }

  async screen(): Promise<string> {
    return (await tmuxAsync("capture-pane", "-p", "-t", this.name)).replace(/[ \t]+$/gm, "").trimEnd();
  }

  async until(text: string): Promise<string> {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const screen = await this.screen();
      if (screen.includes(text)) return screen;
      if (Date.now() > end) throw new Error(`no "${text}" on the screen:\n${screen}`);
      await pause(POLL_MS);
    }
  }

  /** The screen as soon as it is `wanted`, or as it is at last. */
  async settled(wanted: string): Promise<string> {
    const end = Date.now() + SETTLE_MS;
    for (;;) {
      const screen = await this.screen();
      if (screen === wanted || Date.now() > end) return screen;
      await pause(POLL_MS);
    }
  }

  /** What tmux knows: alternate screen, mouse reports, cursor. */
  modes(): string {
    return tmux("display-message", "-p", "-t", this.name, "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").trim();
  }

  signal(name: string): void {
    execFileSync("pkill", [`-${name}`, "-P", tmux("display-message", "-p", "-t", this.name, "#{pane_pid}").trim()]);
  }

  async send(key: string): Promise<void> {
    const literally = key.length > 1 && !/^[A-Z][A-Za-z0-9-]*$/.test(key);
    await tmuxAsync("send-keys", "-t", this.name, ...(literally ? ["-l", key] : [key === ";" ? "\\;" : key]));
  }

  /** One key after the other, as a person types. */
  async keys(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await this.send(key);
      await pause(KEY_MS);
    }
  }
}
