/**
 * The replay as a real program in a real terminal (tmux), driven by keys; screens are compared with goldens at 80x24 and 200x60.
 * EINTR_UPDATE=1 npx vitest run test/tui/replay-terminal.test.ts writes the goldens anew.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const PROGRAM = fileURLToPath(new URL("../../dist/eintr.js", import.meta.url));
const SOCKET = `eintr-test-${process.pid}`;
const WAIT_MS = 20_000;

const tmux = (...args: string[]): string => execFileSync("tmux", ["-L", SOCKET, "-f", "/dev/null", ...args], { encoding: "utf8" });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

// The server ends with its last session: one stays to the end.
beforeAll(() => void tmux("new-session", "-d", "-s", "keep", "cat"));

afterAll(() => {
  try {
    tmux("kill-server");
  } catch {
    // No session is left.
  }
});

let sessions = 0;

class Terminal {
  readonly name = `s${sessions++}`;

  constructor(width: number, height: number, command: string) {
    tmux("new-session", "-d", "-s", this.name, "-x", String(width), "-y", String(height), `env -u NO_COLOR LANG=C.UTF-8 ${command}`);
  }

  screen(): string {
    return tmux("capture-pane", "-p", "-t", this.name).replace(/\s+$/gm, "");
  }

  async until(text: string): Promise<string> {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const screen = this.screen();
      if (screen.includes(text)) return screen;
      if (Date.now() > end) throw new Error(`no "${text}" on the screen:\n${screen}`);
      await pause(50);
    }
  }

  /** One key after the other, as a person types: each has its answer before the next. "~text" waits for the text. */
  async keys(...keys: string[]): Promise<void> {
    for (const key of keys) {
      if (key.startsWith("~")) {
        await this.until(key.slice(1));
        continue;
      }
      tmux(
        "send-keys",
        "-t",
        this.name,
        ...(key.length > 1 && !/^[A-Z][A-Za-z0-9-]*$/.test(key) ? ["-l", key] : [key === ";" ? "\\;" : key]),
      );
      await pause(90);
    }
  }
}

interface Story {
  readonly name: string;
  readonly command: string;
  readonly keys: readonly string[];
  /** On the screen when the story has been told. */
  readonly shows: string;
}

const STORIES: readonly Story[] = [
  {
    name: "wrong-turn",
    command: "lost-interrupted-error",
    keys: ["}", "Enter", "Enter", "Enter", "Enter", "Enter"],
    shows: "the wrong turn",
  },
  { name: "nested-sigint", command: "nested", keys: ["End", "[", "f", "[", "[", "["], shows: "SIGINT, signal 2: handled" },
  {
    name: "back-across-aex",
    command: "async-in-enclave",
    keys: ["/", "sgx.aex", "Enter", "J", "K", "K"],
    shows: "inside the enclave  CSSA 0",
  },
  { name: "sigsuspend-deadlock", command: "sigsuspend-lock", keys: ["End"], shows: "blocked for lock" },
  { name: "with-the-fix", command: "lost-interrupted-error --fix sgx-interrupted-code-lost", keys: [")"], shows: "-EINTR" },
  {
    name: "sql-and-jump",
    command: "lost-interrupted-error",
    keys: [";", "SELECT seq, flow FROM transitions WHERE kind = 'app.return'", "Enter", "~(2 rows", ".", "Enter"],
    shows: "seq 169",
  },
  { name: "search", command: "lost-interrupted-error", keys: ["/", "_DkExceptionReturn", "Enter", "n"], shows: "seq 157" },
  {
    name: "jump-and-flow",
    command: "lost-interrupted-error",
    keys: ["g", "89", "Enter", "5"],
    shows: "_DkTerminateSighandler  (untrusted-pal",
  },
  { name: "lanes", command: "sigsuspend-lock", keys: ["4", "g", "60%", "Enter"], shows: "capitals: signal context" },
  { name: "help", command: "lost-interrupted-error", keys: ["?"], shows: "next transition of this thread" },
];

describe.each([
  [80, 24],
  [200, 60],
] as const)("%ix%i", (width, height) => {
  test.each(STORIES)("$name", async ({ name, command, keys, shows }) => {
    const terminal = new Terminal(width, height, `'${process.execPath}' '${PROGRAM}' replay ${command}`);
    await terminal.until("seq 0 of");
    await terminal.keys(...keys);
    await terminal.until(shows);
    await pause(150);
    const screen = terminal.screen();
    await terminal.keys("q");
    const golden = fileURLToPath(new URL(`../golden/replay/${name}-${width}x${height}.txt`, import.meta.url));
    if (process.env.EINTR_UPDATE === "1" || !existsSync(golden)) {
      expect(process.env.EINTR_UPDATE, `${golden} is missing`).toBe("1");
      writeFileSync(golden, screen);
    }
    expect(screen).toBe(readFileSync(golden, "utf8"));
  });
});

describe("the terminal", () => {
  const inShell = (): string =>
    `bash --norc -c "'${process.execPath}' '${PROGRAM}' replay lost-interrupted-error; echo LEFT with \\$?; cat"`;

  test("is given back on q, and after SIGTERM", async () => {
    for (const leave of ["q", "SIGTERM"]) {
      const terminal = new Terminal(80, 24, inShell());
      await terminal.until("seq 0 of");
      if (leave === "q") await terminal.keys("q");
      else execFileSync("pkill", ["-TERM", "-P", tmux("display-message", "-p", "-t", terminal.name, "#{pane_pid}").trim()]);
      const screen = await terminal.until("LEFT with");
      expect(screen).not.toContain("Normal context");
      expect(tmux("display-message", "-p", "-t", terminal.name, "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").trim()).toBe("0 0 1");
    }
  });

  test("resized, it draws anew; too small, it says so", async () => {
    const terminal = new Terminal(80, 24, `'${process.execPath}' '${PROGRAM}' replay lost-interrupted-error`);
    await terminal.until("seq 0 of");
    tmux("resize-window", "-t", terminal.name, "-x", "50", "-y", "12");
    await terminal.until("eintr replay needs 60x18");
    tmux("resize-window", "-t", terminal.name, "-x", "160", "-y", "40");
    await terminal.until("seq 0 of");
  });

  test("without a terminal it says what to use instead", async () => {
    const dir = fresh("a.trace");
    await eintr(["record", "nested", "-o", dir]);
    const { code, talk } = await eintr(["replay", dir]);
    expect([code, talk]).toEqual([2, "eintr: eintr replay needs a terminal; for a file or a pipe use eintr show\n"]);
  });
});
