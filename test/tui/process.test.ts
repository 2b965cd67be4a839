/** The built program as its own process: signals, pipes, a disk without room. `npm test` builds it first. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { PROGRAM } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly talk: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

function start(command: string, args: readonly string[], { cwd = ".", stdin = "ignore" as "ignore" | "pipe" } = {}): Started {
  const child = spawn(command, args, { cwd, stdio: [stdin, "pipe", "pipe"] });
  let out = "";
  let talk = "";
  child.stdout?.on("data", (part: Buffer) => (out += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (talk += part.toString()));
  const ended = new Promise<Ended>((resolve) => child.on("close", (code, signal) => resolve({ code, signal, out, talk })));
  return { child, ended };
}

const run = (...args: string[]): Promise<Ended> => start(process.execPath, [PROGRAM, ...args]).ended;
const shell = (script: string, ...args: string[]): Promise<Ended> =>
  start("bash", ["-c", script, "bash", process.execPath, PROGRAM, ...args]).ended;

/** Until the recording has written so many bytes. */
async function written(dir: string, bytes: number): Promise<void> {
  const file = path.join(dir, "transitions.arrow");
  while (!existsSync(file) || statSync(file).size < bytes) await new Promise((resolve) => setTimeout(resolve, 20));
}

const LONG = ["record", "server", "--rows", "1e9", "--stack", "graphene-linux", "-o"];
const MEGABYTE = 1_000_000;

describe("a long recording", () => {
  test("Ctrl-C ends it cleanly", async () => {
    const dir = fresh("ctrl-c.trace");
    const { child, ended } = start(process.execPath, [PROGRAM, ...LONG, dir]);
    await written(dir, 5 * MEGABYTE);
    child.kill("SIGINT");
    const { code, talk } = await ended;
    expect(code, talk).toBe(130);
    expect(talk).toContain("stopped early");
    const trace = await openTrace(dir);
    expect(trace.complete).toBe(true);
    expect(trace.transitions.end?.reason).toBe("aborted");
    trace.close();
    expect((await run("rerun", dir)).code).toBe(0);
  });

  test("killed, it is still a trace", async () => {
    const dir = fresh("killed.trace");
    const { child, ended } = start(process.execPath, [PROGRAM, ...LONG, dir]);
    await written(dir, 5 * MEGABYTE);
    child.kill("SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    const { code, out, talk } = await run("query", dir, "SELECT count(*) FROM transition", "--format", "csv");
    expect(code, talk).toBe(0);
    expect(talk).toContain("killed");
    expect(Number(out.split("\n")[1])).toBeGreaterThan(16_384);
  });

  test("a disk without room ends it with a message and a readable trace", async () => {
    const dir = fresh("full.trace");
    // A limit on the size of files answers as a full disk does: the write fails in the middle.
    const { code, talk } = await shell(`trap '' XFSZ; ulimit -f 4000; "$@"`, ...LONG, dir);
    expect(code, talk).toBe(2);
    expect(talk).toContain("transitions.arrow");
    const trace = await openTrace(dir);
    expect(trace.transitions.rows).toBeGreaterThan(16_384);
    trace.close();
  });
});

test("output to a file is plain, and a reader that goes away is no error", async () => {
  const dir = fresh("demo.trace");
  const file = fresh("out.txt");
  const { code } = await shell(`"$@" > ${file} 2>&1`, "demo", "-o", dir);
  expect(code).toBe(0);
  expect(readFileSync(file, "utf8")).toMatch(/^[^\u001b\r]*$/);
  expect(await shell(`"$@" | head -n 1; exit "\${PIPESTATUS[0]}"`, "stack", "graphene-sgx")).toMatchObject({ code: 0, talk: "" });
});

test.each([
  ["record", 0, ["record", "initialisation", "-o"]],
  ["a refused analyze", 2, ["analyze"]],
])("a reader of talk that goes away leaves the exit code of %s alone", async (_, code, args) => {
  const dir = fresh("talk.trace");
  // The reader is gone before the program starts.
  const { talk, ...ended } = await shell(`exec 3> >(exit); wait $!; "$@" 2>&3`, ...args, dir);
  expect(ended).toEqual({ code, signal: null, out: "" });
  expect(existsSync(dir)).toBe(code === 0);
});

test("a case from a pipe is read to the bound of files and no further", async () => {
  const dir = fresh("piped.trace");
  const good = await shell(`"$1" "$2" scenarios nested | "$@"`, "record", "/dev/stdin", "-o", dir);
  expect(good.code, good.talk).toBe(0);
  // It begins like a scenario: what is like nothing that eintr reads is refused by its first bytes.
  const long = await shell(
    `{ echo "name: long"; yes "# long"; } | head -c 300000000 | "$@"`,
    "record",
    "/dev/stdin",
    "-o",
    fresh("never.trace"),
  );
  expect(long).toMatchObject({ code: 2, talk: expect.stringContaining("/dev/stdin: more than 268435456 bytes") });
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends the waiting for SQL on stdin", async (signal) => {
  const dir = fresh("a.trace");
  await run("record", "initialisation", "-o", dir);
  const { child, ended } = start(process.execPath, [PROGRAM, "query", dir], { stdin: "pipe" });
  // More than a pipe holds: when it is written, somebody reads.
  await new Promise((resolve) => child.stdin?.write("SELECT 1".padEnd(300_000), resolve));
  child.kill(signal);
  expect(await ended).toEqual({ code: 130, signal: null, out: "", talk: "" });
});

describe("names in the folder where one works", () => {
  const inFolder = (cwd: string, ...args: string[]): Promise<Ended> => start(process.execPath, [PROGRAM, ...args], { cwd }).ended;

  test("a folder of the name of a scenario does not hide it; a file and a path do", async () => {
    const cwd = fresh("here");
    mkdirSync(path.join(cwd, "nested"), { recursive: true });
    const { code, talk } = await inFolder(cwd, "record", "nested");
    expect(code, talk).toBe(0);
    expect(existsSync(path.join(cwd, "nested.trace", "transitions.arrow"))).toBe(true);
    expect((await inFolder(cwd, "record", "./nested")).talk).toContain("is a folder");
    writeFileSync(path.join(cwd, "resume"), "name: mine\ntitle: t\nmain: []\n");
    expect((await inFolder(cwd, "record", "resume")).talk).toContain("mine.trace");
  });

  test("the tour replaces its own trace", async () => {
    const cwd = fresh("here");
    mkdirSync(cwd);
    for (const _ of ["once", "again"]) expect(await inFolder(cwd, "demo")).toMatchObject({ code: 0 });
  });
});

test("wrong use is 2, in the process as well", async () => {
  expect((await run("record", "no-such-case")).code).toBe(2);
  expect((await run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  ["of another node", 'Object.assign(new Error("was compiled against a different version"), { code: "ERR_DLOPEN_FAILED" })'],
  ["missing", `Object.assign(new Error("Cannot find module 'better_sqlite3.node'"), { code: "MODULE_NOT_FOUND" })`],
])("a native part that is %s is no bug of eintr: what to do is said", async (_, error) => {
  const broken = fresh("broken.cjs");
  writeFileSync(broken, `require("node:module")._extensions[".node"] = () => { throw ${error}; };`);
  const { code, talk } = await start(process.execPath, [
    "--require",
    broken,
    PROGRAM,
    "record",
    "lost-interrupted-error",
    "-o",
    fresh("a.trace"),
  ]).ended;
  expect(talk).toContain("npm rebuild better-sqlite3");
  expect(talk).not.toContain("bug of eintr");
  expect(code).toBe(2);
});
