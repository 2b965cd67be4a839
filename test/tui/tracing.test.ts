/** `eintr record -- PROGRAM`: the built program, strace, and a terminal (tmux) in which Ctrl-C is the traced program's. */

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { PROGRAM, startProgram } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

function folder(): string {
  const dir = fresh("here");
  mkdirSync(dir);
  return dir;
}

/** A folder with a `strace` in it that writes its arguments and a log instead of tracing. */
function withStrace(script: string): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = folder();
  const file = path.join(cwd, "strace");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { cwd, env: { PATH: `${cwd}:${process.env.PATH}` } };
}

const LOG = "41 1700000000.000100 pause() = ? <unavailable>\n41 1700000000.500000 +++ killed by SIGKILL +++\n";
/** Writes LOG to the argument after -o, and all arguments beside it. */
const WRITES = `for arg; do if [ "$last" = -o ]; then log=$arg; fi; last=$arg; done
printf '%s\\n' "$@" > args
printf '%s' '${LOG}' > "$log"`;

describe("what strace is given", () => {
  test("the program with its own options, and where the log goes", async () => {
    const { cwd, env } = withStrace(WRITES);
    const { code, talk } = await startProgram(["record", "--stack", "native-linux", "-o", "a.trace", "--", "prog", "--stack", "x y"], {
      cwd,
      env,
    }).ended;
    expect([code, talk]).toEqual([0, expect.stringContaining("main is killed by SIGKILL")]);
    expect(readFileSync(path.join(cwd, "args"), "utf8").trimEnd().split("\n")).toEqual([
      "-f",
      "-ttt",
      "-T",
      "-y",
      "-o",
      "a.strace",
      "--",
      "prog",
      "--stack",
      "x y",
    ]);
    expect(readFileSync(path.join(cwd, "a.strace"), "utf8")).toBe(LOG);
    expect(existsSync(path.join(cwd, "a.trace", "transitions.arrow"))).toBe(true);
  });

  test("a process that runs", async () => {
    const { cwd, env } = withStrace(WRITES);
    const { code, talk } = await startProgram(["record", "-p", "41", "--stack", "native-linux"], { cwd, env }).ended;
    expect([code, talk]).toEqual([0, expect.stringMatching(/^tracing process 41; Ctrl-C ends the tracing, not the process\n/)]);
    expect(readFileSync(path.join(cwd, "args"), "utf8")).toBe("-f\n-ttt\n-T\n-y\n-o\npid-41.strace\n-p\n41\n");
  });
});

describe("is refused in words", () => {
  test.each([
    ["a log that is there", ["--", "prog"], /^eintr: prog\.strace exists; --force replaces it/],
    ["a case beside a process", ["nested", "-p", "1"], /^eintr: -p traces a process that runs: it goes with no case/],
    ["nothing after --", ["--"], /^eintr: nothing after --/],
    ["two cases", ["nested", "w1"], /^eintr: one case at a time, found 2; a program stands after --: eintr record -- nested w1/],
    ["no case", [], /^eintr: expected a case/],
  ])("%s", async (_, args, words) => {
    const { cwd, env } = withStrace("exit 9");
    writeFileSync(path.join(cwd, "prog.strace"), "of yesterday");
    const { code, talk } = await startProgram(["record", ...args], { cwd, env }).ended;
    expect([code, talk]).toEqual([2, expect.stringMatching(words)]);
    expect(readFileSync(path.join(cwd, "prog.strace"), "utf8")).toBe("of yesterday");
  });

  test("a program that strace could not run", async () => {
    const { cwd, env } = withStrace('echo "strace: Can\'t stat" >&2; exit 1');
    const { code, talk } = await startProgram(["record", "--", "./none"], { cwd, env }).ended;
    expect([code, talk]).toEqual([2, expect.stringContaining("strace could not run ./none (it ended with status 1); its words are above")]);
  });

  test("a machine without strace: how to get it, and how to do without", async () => {
    const { code, talk } = await startProgram(["record", "--", "true"], { cwd: folder(), env: { PATH: "/nowhere" } }).ended;
    expect([code, talk]).toEqual([2, expect.stringMatching(/strace is not on the path; install it .*strace -f -ttt -T -o FILE PROGRAM/)]);
  });
});

describe("in a terminal", () => {
  const SOCKET = `eintr-tracing-${process.pid}`;
  const tmux = (...args: string[]): string => execFileSync("tmux", ["-L", SOCKET, "-f", "/dev/null", ...args], { encoding: "utf8" });
  beforeAll(() => void tmux("new-session", "-d", "-s", "keep", "cat"));
  afterAll(() => void tmux("kill-server"));

  async function until(session: string, text: string): Promise<string> {
    const end = Date.now() + 30_000;
    for (;;) {
      const screen = tmux("capture-pane", "-p", "-t", session);
      if (screen.includes(text)) return screen;
      if (Date.now() > end) throw new Error(`no "${text}" on the screen:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("a bash script with a trap: its output is seen, Ctrl-C is its own, and the verdict follows", async () => {
    const cwd = folder();
    writeFileSync(path.join(cwd, "trap.sh"), "trap 'echo trapped; kill $!; exit 3' INT\nsleep 60 &\necho ready\nwait\n");
    const command = `${process.execPath} ${PROGRAM} record --stack native-linux -o t.trace -- bash trap.sh; cat`;
    tmux("new-session", "-d", "-s", "trap", "-x", "160", "-y", "40", "-c", cwd, command);
    await until("trap", "ready");
    tmux("send-keys", "-t", "trap", "C-c");
    const screen = await until("trap", "next: eintr analyze");
    expect(screen).toContain("trapped");
    expect(screen).toContain("2 processes in all");
    expect(screen).toMatch(/of \d+ lines of the log \d+ \(\d+ %\) are emulated/);
    const trace = await openTrace(path.join(cwd, "t.trace"));
    expect(trace.ask("SELECT count(*) FROM signals WHERE signal = 'SIGINT' AND thread = 'main'")).toEqual([[1]]);
    expect(trace.ask("SELECT text FROM outcome WHERE subject = 'process' AND name = 'main'")).toEqual([["exits with status 3"]]);
    trace.close();
    expect(readFileSync(path.join(cwd, "t.strace"), "utf8")).toContain("--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---");
  }, 60_000);
});
