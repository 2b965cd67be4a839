/**
 * The replay as a real program in a real terminal (tmux), driven by keys, at 80x24, 120x40 and 200x60. After each key of a story the screen
 * is the one that the same keys give without a terminal: what stands in it is the business of the tests beside, and of the goldens of
 * screen/screens.test.ts. Several terminals are driven at a time: what takes long is that programs start.
 */

import { closeSync, cpSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openTransitions } from "../../../recorder/arrow/read.ts";
import { ARROW_NAME, openTrace, type Trace } from "../../../recorder/index.ts";
import { paint } from "../../../tui/present/style.ts";
import { alignCalls } from "../../../tui/replay/compare/alignment.ts";
import { opening } from "../../../tui/replay/navigate/opening.ts";
import { openSession, type ReplaySession } from "../../../tui/replay/session.ts";
import { eintr } from "../../support/command-line.ts";
import { PROGRAM } from "../../support/program.ts";
import { analyzed, playerOf } from "../../support/replay.ts";
import { tempPaths } from "../../support/temp-dir.ts";
import { Terminal, tmux, useTerminals } from "../../support/terminal.ts";

const fresh = tempPaths();
useTerminals();
const LOST = "lost-interrupted-error";
const FIX = "sgx-interrupted-code-lost";

interface Story {
  readonly name: string;
  readonly scenario: string;
  /** Shown beside the run with this fix. */
  readonly fix?: "sgx-interrupted-code-lost";
  /** Shown beside a trace of this scenario. */
  readonly beside?: string;
  readonly keys: readonly string[];
  /** On the screen when the story has been told. */
  readonly shows: string;
}

const STORIES: readonly Story[] = [
  {
    name: "wrong-turn",
    scenario: LOST,
    // The rules need a moment: before they have found it, there is no next finding.
    keys: ["}", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter"],
    shows: "the wrong turn: in _DkExceptionReturn",
  },
  { name: "nested-sigint", scenario: "nested", keys: ["End", "[", "f", "[", "[", "["], shows: "SIGINT, signal 2, now: " },
  {
    name: "back-across-aex",
    scenario: "async-in-enclave",
    keys: ["1", "/", "sgx.aex", "Enter", "J", "K", "K"],
    shows: "inside the enclave  CSSA 0",
  },
  { name: "sigsuspend-deadlock", scenario: "sigsuspend-lock", keys: ["1", "End"], shows: "blocked for " },
  { name: "with-the-fix", scenario: LOST, fix: FIX, keys: [")"], shows: "-EINTR" },
  {
    name: "sql-and-jump",
    scenario: LOST,
    keys: [";", "SELECT seq, flow FROM transitions WHERE kind = 'app.return'", "Enter", ".", "Enter"],
    shows: "libc read: back in the application",
  },
  { name: "search", scenario: LOST, keys: ["/", "_DkExceptionReturn", "Enter", "n"], shows: "_DkExceptionReturn" },
  { name: "jump-and-flow", scenario: LOST, keys: ["g", "50%", "Enter", "5"], shows: "[5 flow]" },
  { name: "lanes", scenario: "sigsuspend-lock", keys: ["4", "g", "60%", "Enter"], shows: "capitals: signal context" },
  { name: "help", scenario: LOST, keys: ["?"], shows: "what a step gave" },
  { name: "open-at-the-verdict", scenario: LOST, keys: [], shows: "< goes to the start" },
  {
    name: "zoom-to-an-aex",
    scenario: "async-in-enclave",
    keys: ["/", "sgx.aex", "Enter", "4", "Z", "i", "i", "i", "i", "i", "i", "Z"],
    shows: "[4 lanes]",
  },
  { name: "across-threads", scenario: "w6-kill-fanout", keys: ["g", "1671", "Enter", "f", "4", "i", "i", "i"], shows: "◆" },
  {
    name: "condition-backwards",
    scenario: "nested",
    keys: ["End", "&", "kind = app.handler.enter", "Enter", "8", "R"],
    shows: "stopped: kind = app.handler.enter",
  },
  { name: "who-set-this", scenario: LOST, keys: ["1", ".", ".", ".", "W"], shows: "set here" },
  { name: "fix-chosen-inside", scenario: LOST, keys: ["7", "Enter", ")"], shows: "-EINTR there" },
  { name: "merged-threads", scenario: "w6-kill-fanout", keys: ["g", "1880", "Enter", "V", "j"], shows: "seq 1881 of" },
  { name: "recipe-and-chart", scenario: LOST, keys: ["6", ".", ".", "Enter", "G"], shows: "█" },
  { name: "two-traces", scenario: "w12-pause-alarm", beside: "alarm", keys: [")"], shows: "there" },
];

const BYTES: Readonly<Record<string, string>> = { Enter: "\r", End: "\u001b[F" };

const traces: Trace[] = [];
afterAll(() => {
  for (const trace of traces) trace.close();
});

/** What the stories open, each recorded once as the program does it: with the verdict, which is told above the findings. */
const recordings = new Map<string, Promise<string>>();

function recorded(scenario: string, fix?: string): Promise<string> {
  const key = `${scenario} ${fix ?? ""}`;
  let dir = recordings.get(key);
  if (dir === undefined) recordings.set(key, (dir = record(scenario, fix)));
  return dir;
}

/** In a folder without others: those would be offered to compare with. */
function alone(name: string): string {
  const folder = fresh("alone");
  mkdirSync(folder);
  return path.join(folder, name);
}

async function record(scenario: string, fix: string | undefined): Promise<string> {
  const dir = alone("story.trace");
  const { code, talk } = await eintr(["record", scenario, ...(fix === undefined ? [] : ["--fix", fix]), "-o", dir]);
  expect(code, talk).toBe(0);
  return dir;
}

async function recordedWorld(scenario: string, fix: string | undefined, other: ReplaySession | null): Promise<ReplaySession> {
  const trace = await openTrace(await recorded(scenario, fix));
  traces.push(trace);
  const session = openSession(trace, { paint: paint(false), ascii: false, opened: scenario }, other);
  await alignCalls(session, new AbortController().signal, () => undefined);
  return analyzed(session);
}

/** The screens that the keys give without a terminal: before the first, and after each. */
async function screensOf({ scenario, fix, beside, keys }: Story, width: number, height: number): Promise<string[]> {
  const other =
    fix !== undefined
      ? { ...(await recordedWorld(scenario, fix, null)), differences: { first: [], upTo: Number.POSITIVE_INFINITY } }
      : beside !== undefined
        ? await recordedWorld(beside, undefined, null)
        : null;
  const session = await recordedWorld(scenario, undefined, other);
  const s = playerOf(session, { width, height: height - 1, ...opening(session, session.stored ?? []) });
  const screen = (): string =>
    s
      .screen()
      .replace(/[ \t]+$/gm, "")
      .trimEnd();
  const screens = [screen()];
  for (const key of keys) {
    await s.type(BYTES[key] ?? key);
    screens.push(screen());
  }
  return screens;
}

describe.each([
  [80, 24],
  [120, 40],
  [200, 60],
] as const)("%ix%i", (width, height) => {
  test.concurrent.each(STORIES)("$name", async (story) => {
    const { name, scenario, fix, beside, keys, shows } = story;
    const [opened, ...wanted] = await screensOf(story, width, height);
    expect(wanted.at(-1) ?? opened).toContain(shows);
    // What one leaves stays with a trace: each terminal has its own.
    const dir = alone(`${scenario}.trace`);
    cpSync(await recorded(scenario), dir, { recursive: true });
    const command = fix !== undefined ? `${dir} --fix ${fix}` : beside !== undefined ? `${dir} --with ${await recorded(beside)}` : dir;
    const terminal = new Terminal(width, height, `'${process.execPath}' '${PROGRAM}' replay ${command}`);
    expect(await terminal.settled(opened ?? "")).toBe(opened);
    for (const [i, key] of keys.entries()) {
      await terminal.send(key);
      expect(await terminal.settled(wanted[i] ?? ""), `after ${keys.slice(0, i + 1).join(" ")}`).toBe(wanted[i]);
    }
    await terminal.send(name === "help" ? "C-c" : "q");
  });
});

test("a case is recorded for the time of the replay", async () => {
  const terminal = new Terminal(120, 40, `'${process.execPath}' '${PROGRAM}' replay ${LOST}`);
  expect(await terminal.until("seq 402 of")).toContain("< goes to the start");
  await terminal.send("q");
});

test("a case file is run as it was recorded, and opened at the finding that it expects; one that does not hold says so", async () => {
  const [file, fixed] = [fresh("lost.case.yaml"), fresh("fixed.case.yaml")];
  const dir = await recorded(LOST);
  await eintr(["analyze", dir]);
  for (const [to, ...more] of [[file], [fixed, "--absent"]] as const) {
    const { code, talk } = await eintr(["case", dir, "--finding", "1", ...more, "-o", to]);
    expect(code, talk).toBe(0);
  }
  const temporary = fresh("of-cases");
  mkdirSync(temporary);
  const command = `TMPDIR='${temporary}' '${process.execPath}' '${PROGRAM}' replay`;
  const terminal = new Terminal(120, 40, `bash --norc -c "${command} ${file}; ${command} ${fixed} 2>&1; echo LEFT with \\$?; cat"`);
  // The first row of the finding's evidence.
  expect(await terminal.until("seq 296 of")).toContain("pipe_read: DkStreamRead");
  await terminal.keys("j");
  await terminal.until("seq 297 of");
  await terminal.keys("q");
  await terminal.until("seq 402 of");
  await terminal.keys("q");
  expect(await terminal.until("LEFT with 0")).toContain("expected no finding sgx-interrupted-code-lost");
  expect(readdirSync(temporary)).toEqual([]);
});

test("a note is written, and there when the trace is opened again, at the place one left", async () => {
  const dir = fresh("noted.trace");
  await eintr(["record", LOST, "-o", dir]);
  const command = `'${process.execPath}' '${PROGRAM}' replay ${dir}`;
  const first = new Terminal(120, 40, command);
  await first.until("seq 402 of");
  await first.keys("g", "296", "Enter", "a", "the call goes down here", "Enter", "8", "j", "q");
  const second = new Terminal(120, 40, command);
  const screen = await second.until("here you left it");
  expect(screen).toContain("seq 297 of");
  expect(screen).toContain("mark  seq 296  the call goes down here");
  await second.keys("Enter");
  expect(await second.until("seq 296 of")).toContain("note: the call goes down here");
  await second.keys("q");
});

describe.concurrent("the terminal", () => {
  const program = (node = ""): string => `'${process.execPath}' ${node} '${PROGRAM}' replay`;
  const inShell = (command: string): string => `bash --norc -c "${command}; echo LEFT with \\$?; cat"`;
  const GIVEN_BACK = "0 0 1";

  test("is given back on q, and after SIGTERM", async () => {
    for (const leave of ["q", "SIGTERM"]) {
      const terminal = new Terminal(80, 24, inShell(`${program()} lost-interrupted-error --at 0`));
      await terminal.until("seq 0 of");
      if (leave === "q") await terminal.keys("q");
      else terminal.signal("TERM");
      const screen = await terminal.until(`LEFT with ${leave === "q" ? 0 : 143}`);
      expect(screen).not.toContain("Normal context");
      expect(terminal.modes()).toBe(GIVEN_BACK);
    }
  });

  test("after an error nobody caught it is given back as well, the error stands on it, and the exit code is 70", async () => {
    const bug = `--import "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('a bug')})"`;
    const terminal = new Terminal(80, 24, inShell(`${program(bug.replaceAll('"', '\\"'))} lost-interrupted-error --at 0`));
    await terminal.until("seq 0 of");
    terminal.signal("USR2");
    const screen = await terminal.until("LEFT with 70");
    expect(screen).toContain("this is a bug of eintr, please report it\nError: a bug");
    expect(terminal.modes()).toBe(GIVEN_BACK);
  });

  test("SIGTERM ends a question that would go on for ever, too; SIGQUIT gives the terminal back", async () => {
    const terminal = new Terminal(80, 24, inShell(`${program()} lost-interrupted-error --at 0`));
    await terminal.until("seq 0 of");
    await terminal.keys(";", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r", "Enter");
    await terminal.until("asking (Esc stops)");
    terminal.signal("TERM");
    await terminal.until("LEFT with 143");
    const other = new Terminal(80, 24, inShell(`${program()} lost-interrupted-error --at 0`));
    await other.until("seq 0 of");
    other.signal("QUIT");
    await other.until("LEFT with 131");
    expect(other.modes()).toBe(GIVEN_BACK);
  });

  test("what is pasted outside a prompt runs nothing", async () => {
    const terminal = new Terminal(80, 24, inShell(`${program()} lost-interrupted-error --at 0`));
    await terminal.until("seq 0 of");
    tmux("set-buffer", "-b", "pasted", "jjq\n:quit\n");
    tmux("paste-buffer", "-p", "-b", "pasted", "-t", terminal.name);
    await terminal.until("only taken where text is asked for");
    await terminal.keys("j");
    await terminal.until("seq 1 of");
  });

  test("is closed: no file is left behind", async () => {
    const temporary = fresh("temporary");
    mkdirSync(temporary);
    const terminal = new Terminal(80, 24, inShell(`TMPDIR='${temporary}' ${program()} lost-interrupted-error --at 0`));
    await terminal.until("seq 0 of");
    expect(readdirSync(temporary)).toHaveLength(1);
    terminal.signal("HUP");
    await terminal.until("LEFT with 129");
    expect(readdirSync(temporary)).toEqual([]);
  });

  test("Ctrl-Z gives it to the shell, fg draws all anew, and keys work", async () => {
    const terminal = new Terminal(80, 24, "bash --norc");
    await terminal.keys(`${program()} lost-interrupted-error --at 0`, "Enter");
    await terminal.until("seq 0 of");
    for (const [seq, key] of [
      ["seq 1 of", "j"],
      ["seq 2 of", "j"],
    ] as const) {
      await terminal.keys("C-z");
      expect(await terminal.until("Stopped")).not.toContain("Normal context");
      expect(terminal.modes()).toBe(GIVEN_BACK);
      await terminal.keys("fg", "Enter");
      expect(await terminal.until("Normal context")).toContain("[1 state]");
      expect(terminal.modes()).toBe("1 1 0");
      await terminal.keys(key);
      await terminal.until(seq);
    }
    await terminal.keys("q");
    await terminal.until("fg");
  });

  test("Ctrl-Z where no shell could go on with it: it is there again", async () => {
    const terminal = new Terminal(80, 24, `${program()} lost-interrupted-error --at 0`);
    await terminal.until("seq 0 of");
    await terminal.keys("C-z", "j");
    await terminal.until("seq 1 of");
  });

  test("CI in the environment changes nothing", async () => {
    const terminal = new Terminal(80, 24, `CI=true ${program()} lost-interrupted-error --at 0`);
    await terminal.until("seq 0 of");
    await terminal.keys("j");
    await terminal.until("seq 1 of");
  });

  test("a picture that cannot be written is a message, and nothing ends", async () => {
    const gone = fresh("gone");
    mkdirSync(gone);
    const terminal = new Terminal(80, 24, inShell(`${program()} lost-interrupted-error --at 0`), gone);
    await terminal.until("seq 0 of");
    rmSync(gone, { recursive: true });
    await terminal.keys("s");
    await terminal.until("eintr-screen.svg cannot be written (ENOENT)");
    await terminal.keys("j");
    await terminal.until("seq 1 of");
    await terminal.keys("q");
    await terminal.until("LEFT with 0");
  });

  test("resized, it draws anew; too small, it says so; the smallest is enough", async () => {
    const terminal = new Terminal(80, 24, `${program()} lost-interrupted-error --at 0`);
    await terminal.until("seq 0 of");
    tmux("resize-window", "-t", terminal.name, "-x", "59", "-y", "18");
    await terminal.until("this terminal is 59x18;\neintr replay needs 60x18");
    tmux("resize-window", "-t", terminal.name, "-x", "60", "-y", "18");
    await terminal.until("seq 0 of");
    tmux("resize-window", "-t", terminal.name, "-x", "160", "-y", "40");
    // The footer is drawn last, and at 60 cells it has no room for this.
    const lines = (await terminal.until("f follow")).split("\n");
    expect(lines[0]).toMatch(/^ lost-interrupted-error on graphene-sgx .* seq 0 of \d+ {2}0\.0 us$/);
    expect(lines[0]).toHaveLength(159);
    expect(lines[2]).toMatch(/^ {3}seq +layer Normal context .* │ \[1 state\] .* 4 lanes/);
    expect(lines).toHaveLength(39);
    expect(lines.at(-1)).toMatch(/^\? help .* f follow/);
  });

  test("beside a damaged trace it opens all the same, and the pane says what is wrong", async () => {
    const [whole, broken] = [fresh("whole.trace"), fresh("broken.trace")];
    for (const dir of [whole, broken]) await eintr(["record", "server", "--rows", "40000", "-o", dir]);
    const reader = openTransitions(path.join(broken, ARROW_NAME));
    const last = reader.batches.at(-1) ?? expect.fail("there are batches");
    reader.close();
    const file = openSync(reader.path, "r+");
    writeSync(file, Buffer.alloc(last.bodyLength, 0xff), 0, last.bodyLength, last.metadataOffset + last.metadataLength);
    closeSync(file);
    const terminal = new Terminal(80, 24, inShell(`${program()} ${whole} --at 0 --with ${broken}`));
    await terminal.until("seq 0 of");
    await terminal.keys("7");
    await terminal.until("this cannot be shown");
    await terminal.keys("1", "j");
    await terminal.until("seq 1 of");
    await terminal.keys("q");
    await terminal.until("LEFT with 0");
  });

  test("without a terminal it says what to use instead", async () => {
    const dir = fresh("a.trace");
    await eintr(["record", "nested", "-o", dir]);
    const { code, talk } = await eintr(["replay", dir]);
    expect([code, talk]).toEqual([2, "eintr: eintr replay needs a terminal; for a file or a pipe use eintr show\n"]);
  });
});
