/** Ctrl-C and SIGTERM end the opening of the replay, in a real terminal (tmux): before it has taken the terminal, and what it waits for is long. */

import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ARROW_NAME } from "../../recorder/index.ts";
import { PROGRAM, startProgram } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const SOCKET = `eintr-opening-${process.pid}`;
const LONG_ROWS = 3_000_000;
/** It is to be within a second; the machine that tests may have much else to do. */
const MOST_MS = 5000;
const BEGIN_MS = 20_000;

const tmux = (...args: string[]): string => execFileSync("tmux", ["-L", SOCKET, "-f", "/dev/null", ...args], { encoding: "utf8" });
let long: string;
let sessions = 0;

beforeAll(async () => {
  long = fresh("long.trace");
  const args = ["record", "server", "--rows", String(LONG_ROWS), "--stack", "graphene-linux", "-o", long];
  const { code, talk } = await startProgram(args).ended;
  expect(code, talk).toBe(0);
  tmux("new-session", "-d", "-s", "keep", "cat");
}, 60_000);

afterAll(() => void tmux("kill-server"));

/** Nobody has made the database of this copy. */
function unsealed(): string {
  const dir = fresh("unsealed.trace");
  mkdirSync(dir);
  linkSync(path.join(long, ARROW_NAME), path.join(dir, ARROW_NAME));
  return dir;
}

async function until(name: string, text: string, ms: number): Promise<string> {
  for (const end = Date.now() + ms; ; await sleep(20)) {
    const screen = tmux("capture-pane", "-p", "-J", "-t", name);
    if (screen.includes(text)) return screen;
    if (Date.now() > end) throw new Error(`no "${text}" on the screen:\n${screen}`);
  }
}

type Send = (name: string) => void;
const WAYS: readonly (readonly [string, Send])[] = [
  ["Ctrl-C", (name) => void tmux("send-keys", "-t", name, "C-c")],
  ["SIGTERM", (name) => void execFileSync("pkill", ["-TERM", "-P", tmux("display-message", "-p", "-t", name, "#{pane_pid}").trim()])],
];

/** What it waits for, as it says itself, and how it is started. */
const OPENINGS: readonly (readonly [string, () => readonly string[]])[] = [
  ["building trace.db", () => [unsealed()]],
  ["running the other one", () => [long, "--stack", "graphene-sgx"]],
];

test.each([
  ["a case on the stack that is named", ["w12-pause-alarm", "--stack", "graphene-linux"], " w12-pause-alarm on graphene-linux "],
  ["two of them side by side", ["w12-pause-alarm", "--stack", "graphene-linux,gramine-linux"], " gramine-linux  seq "],
  ["no more than two", ["w12-pause-alarm", "--stack", "native-linux,graphene-linux,gramine-linux"], "at most two stand side by side"],
])("replay shows %s", async (_, args, says) => {
  const name = `s${sessions++}`;
  const command = ["node", PROGRAM, "replay", ...args].map((word) => `'${word}'`).join(" ");
  tmux("new-session", "-d", "-s", name, "-x", "120", "-y", "24", `${command}; cat`);
  const screen = await until(name, says, BEGIN_MS);
  expect(screen).not.toContain("graphene-sgx");
});

test("a trace is not laid beside itself", async () => {
  const { code, talk } = await startProgram(["replay", long, "--stack", "graphene-linux"]).ended;
  expect([code, talk]).toEqual([2, expect.stringContaining("needs a terminal")]);
  const name = `s${sessions++}`;
  tmux("new-session", "-d", "-s", name, "-x", "200", "-y", "24", `node '${PROGRAM}' replay '${long}' --stack graphene-linux; cat`);
  await until(name, "is of graphene-linux; leave it out, or give another to stand beside it", BEGIN_MS);
});

describe.each(WAYS)("%s ends the replay", (_, send) => {
  test.each(OPENINGS)("while it is %s", async (says, args) => {
    const name = `s${sessions++}`;
    const command = ["node", PROGRAM, "replay", ...args()].map((word) => `'${word}'`).join(" ");
    tmux("new-session", "-d", "-s", name, "-x", "120", "-y", "24", `trap : INT; ${command}; echo "ended with $?"; cat`);
    await until(name, says, BEGIN_MS);
    const sent = performance.now();
    send(name);
    const screen = await until(name, "ended with", MOST_MS);
    expect(performance.now() - sent).toBeLessThan(MOST_MS);
    expect(screen).toContain("ended with 130");
  });
});
