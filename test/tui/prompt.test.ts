/** The SQL prompt, driven by keys: as in psql, Ctrl-C gives up the line or the query, Ctrl-D leaves; a signal from outside leaves too. */

import { execFileSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { guarded } from "../../tui/io.ts";
import { historyFile, type PromptOptions, prompt } from "../../tui/prompt.ts";
import { complete } from "../../tui/sql-names.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;\r";
const WAIT_MS = 20_000;

// The history of the one who runs the tests is not ours to write.
const state = process.env.XDG_STATE_HOME;
beforeAll(() => void (process.env.XDG_STATE_HOME = fresh("state")));
afterAll(() => {
  if (state === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = state;
});

async function recorded(): Promise<string> {
  const dir = fresh("a.trace");
  const { code, talk } = await eintr(["record", "initialisation", "-o", dir]);
  expect(code, talk).toBe(0);
  return dir;
}

/** A prompt on a terminal that is a string; raw mode is noted. */
async function started(options: Partial<PromptOptions> = {}) {
  const trace = await openTrace(await recorded());
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => void raw.push(on) });
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  let seen = "";
  screen.on("data", (part: Buffer) => (seen += part.toString()));
  const stop = new AbortController();
  const io = guarded({
    out: async (text) => void (seen += text),
    talk: (text) => void (seen += text),
    color: 0,
    columns: 200,
    signal: stop.signal,
    exitCode: 0,
  });
  const ended = prompt(io, trace, { format: "csv", ...options }, { stdin, stdout: screen, stderr: screen }).finally(() => trace.close());
  const until = async (text: string): Promise<void> => {
    const end = Date.now() + WAIT_MS;
    while (!seen.includes(text)) {
      if (Date.now() > end) throw new Error(`no ${JSON.stringify(text)} on the screen:\n${JSON.stringify(seen)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    seen = seen.slice(seen.indexOf(text) + text.length);
  };
  await until("eintr> ");
  return { io, raw, stop, ended, until, type: (text: string) => void stdin.write(text) };
}

describe("keys", () => {
  test("Ctrl-C gives up what was typed", async () => {
    const { type, until, ended, io } = await started();
    type(`SELECT 41${CTRL_C}`);
    await until("SELECT 41^C");
    await until("eintr> ");
    type("SELECT 42;\r");
    await until("42\n42\n(1 row)");
    type(CTRL_D);
    await ended;
    expect(io.exitCode).toBe(0);
  });

  test("Ctrl-C gives up the lines before as well", async () => {
    const { type, until, ended } = await started();
    type("SELECT\r");
    await until("... ");
    type(CTRL_C);
    await until("eintr> ");
    type("SELECT 7;\r");
    await until("7\n7\n(1 row)");
    type(".quit\r");
    await ended;
  });

  test("Ctrl-C stops a query and the prompt goes on", async () => {
    const { type, until, ended } = await started();
    type(FOREVER);
    await until("\n");
    await new Promise((resolve) => setTimeout(resolve, 300));
    type(CTRL_C);
    await until("the query was stopped");
    await until("eintr> ");
    type(`SELECT 8;\r`);
    await until("8\n8\n(1 row)");
    type(CTRL_D);
    await ended;
  });

  test("Ctrl-D during a query leaves after it", async () => {
    const { type, until, ended, raw } = await started();
    type("SELECT 9;\r");
    await until("\n");
    type(CTRL_D);
    await until("9\n9\n(1 row)");
    await ended;
    expect(raw).toEqual([true, false]);
  });
});

describe("what is typed", () => {
  test("a limit and a timeout hold for each query, in each format", async () => {
    const { type, until, ended } = await started({ limit: 2, timeoutMs: 3000 });
    type("SELECT seq FROM transition ORDER BY seq;\r");
    await until("seq\n0\n1\n(more rows follow: --limit 2)\n(2 rows)");
    type(".format json\r");
    await until("eintr> ");
    type("SELECT seq FROM transition ORDER BY seq;\r");
    await until('[\n{"seq":0},\n{"seq":1}\n]\n(more rows follow');
    type(FOREVER);
    await until("the query took longer than 3000 ms");
    type(CTRL_D);
    await ended;
  });

  test(".schema knows tables and views", async () => {
    const { type, until, ended } = await started();
    type(".schema signal\r");
    await until("signal\n  id ");
    type(".schema signals\r");
    await until("signals (view)\n  signal with names instead of numbers\nSELECT ");
    type(".schema signalz\r");
    await until('no table or view "signalz"');
    type(CTRL_D);
    await ended;
  });

  test("Tab completes kinds inside quotes as names outside", () => {
    expect(complete("SELECT * FROM transitions WHERE kind = 'host.signal.gen")).toEqual([["host.signal.generate"], "host.signal.gen"]);
    expect(complete("SELECT * FROM sysc")).toEqual([["syscall", "syscalls"], "sysc"]);
  });

  test("the history is kept where the user's state is; an empty XDG_STATE_HOME says nothing", () => {
    const before = process.env.XDG_STATE_HOME;
    try {
      process.env.XDG_STATE_HOME = "/state";
      expect(historyFile()).toBe("/state/eintr/history");
      process.env.XDG_STATE_HOME = "";
      expect(historyFile()).toBe(path.join(os.homedir(), ".local/state/eintr/history"));
    } finally {
      process.env.XDG_STATE_HOME = before;
    }
  });
});

describe("a signal from outside leaves", () => {
  test("at the prompt, with the terminal given back", async () => {
    const { type, stop, ended, io, raw } = await started();
    type("SELECT 1");
    stop.abort();
    await ended;
    expect([io.exitCode, raw]).toEqual([130, [true, false]]);
  });

  test("during a query", async () => {
    const { type, until, stop, ended, io } = await started();
    type(FOREVER);
    await until("\n");
    await new Promise((resolve) => setTimeout(resolve, 300));
    stop.abort();
    await ended;
    expect(io.exitCode).toBe(130);
  });

  test("SIGTERM in a real terminal, where options hold as well", async () => {
    const socket = `eintr-prompt-${process.pid}`;
    const tmux = (...args: string[]): string => execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
    const program = fileURLToPath(new URL("../../dist/eintr.js", import.meta.url));
    const script = `"$@"; echo LEFT with $?; stty -a; exec cat`;
    const screen = (): string => tmux("capture-pane", "-p");
    const until = async (text: string): Promise<void> => {
      const end = Date.now() + WAIT_MS;
      while (!screen().includes(text)) {
        if (Date.now() > end) throw new Error(`no "${text}" on the screen:\n${screen()}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    tmux(
      "new-session",
      "-d",
      "-x",
      "120",
      "-y",
      "30",
      "bash",
      "--norc",
      "-c",
      script,
      "bash",
      process.execPath,
      program,
      "query",
      await recorded(),
      "--limit",
      "1",
    );
    try {
      await until("eintr>");
      // A ; at the end would part commands of tmux.
      tmux("send-keys", "SELECT seq FROM transition\\;", "Enter");
      await until("(more rows follow: --limit 1)");
      execFileSync("pkill", ["-TERM", "-P", tmux("display-message", "-p", "#{pane_pid}").trim()]);
      await until("LEFT with 130");
      await until(" icanon");
      await until(" echo ");
    } finally {
      tmux("kill-server");
    }
  });
});
