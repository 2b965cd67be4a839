/** The built program as its own process: signals, pipes, a disk without room. `npm test` builds it first. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const PROGRAM = fileURLToPath(new URL("../../dist/eintr.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly talk: string;
}

function start(command: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let talk = "";
  child.stdout.on("data", (part: Buffer) => (out += part.toString()));
  child.stderr.on("data", (part: Buffer) => (talk += part.toString()));
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
    const trace = openTrace(dir, { onRebuild: (why) => expect.fail(`rebuilt: ${why}`) });
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
    const trace = openTrace(dir);
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

test("wrong use is 2, in the process as well", async () => {
  expect((await run("record", "no-such-case")).code).toBe(2);
  expect((await run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
