/** `eintr analyze --live` beside a recorder that is a process of its own. `npm test` builds first. */

import { once } from "node:events";
import { statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { ARROW_NAME } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { type Started, startProgram } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
/** Some blocks of rows. */
const SOME_BYTES = 3_000_000;
const FIRST_RULE = /^\w+ {2}[a-z0-9-]+: .* \(seq [\d,]+, thread \w+\)$/m;

let running: Started[] = [];

afterEach(() => {
  for (const { child } of running) child.kill("SIGKILL");
  running = [];
});

function start(...args: string[]): Started {
  const started = startProgram(args);
  running.push(started);
  return started;
}

/** A recorder that has written some blocks and stands still since. */
async function standing(dir: string): Promise<Started> {
  const recorder = start("record", "server", "--rows", "1e9", "--stack", "graphene-linux", "-o", dir);
  const file = path.join(dir, ARROW_NAME);
  while ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < SOME_BYTES) await sleep(5);
  recorder.child.kill("SIGSTOP");
  return recorder;
}

/** Waits until it has told something like that. */
async function told({ child }: Started, what: RegExp): Promise<void> {
  let talk = "";
  child.stderr?.on("data", (part: Buffer) => void (talk += part.toString()));
  while (!what.test(talk)) await once(child.stderr ?? child, "data");
}

describe("analyze --live", () => {
  test("tells findings while the other process records, and ends with it like analyze", async () => {
    const dir = fresh("a.trace");
    const recorder = await standing(dir);
    const follower = start("analyze", dir, "--live", "--format", "json");
    await told(follower, FIRST_RULE);
    // The recorder has not ended, and cannot have told anything meanwhile.
    expect(recorder.child.exitCode).toBe(null);
    expect(follower.child.exitCode).toBe(null);
    recorder.child.kill("SIGCONT");
    recorder.child.kill("SIGINT");
    const [, followed] = await Promise.all([recorder.ended, follower.ended]);
    expect(followed.code, followed.talk).toBe(1);
    const after = await eintr(["analyze", dir, "--format", "json"]);
    expect(followed.out.trimEnd().split("\n")).toEqual(after.out.trimEnd().split("\n"));
    expect(after.out.split("\n").length).toBeGreaterThan(3);
  }, 60_000);

  test("Ctrl-C ends it, and the recording goes on", async () => {
    const dir = fresh("a.trace");
    const recorder = await standing(dir);
    const follower = start("analyze", dir, "--live");
    await told(follower, FIRST_RULE);
    follower.child.kill("SIGINT");
    const { code, talk, out } = await follower.ended;
    expect(code, talk).toBe(130);
    expect(talk).toContain("interrupted; the recording goes on without it");
    expect(out).toBe("");
    expect(recorder.child.exitCode).toBe(null);
  }, 60_000);

  test("a recorder that is killed ends it with what was written", async () => {
    const dir = fresh("a.trace");
    const recorder = await standing(dir);
    const follower = start("analyze", dir, "--live", "--fail-on", "never");
    await told(follower, FIRST_RULE);
    recorder.child.kill("SIGKILL");
    const { code, talk, out } = await follower.ended;
    expect(code, talk).toBe(0);
    expect(talk).toContain("the recording was killed; this is what had been written");
    expect(out).toContain("spurious-yield-per-pending");
  }, 60_000);

  test("a recorder that is started after it is waited for", async () => {
    const dir = fresh("later.trace");
    const follower = eintr(["analyze", dir, "--live"]);
    await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
    const { code, talk } = await follower;
    expect(code, talk).toBe(1);
  });

  test("of a trace that is complete it is analyze", async () => {
    const dir = fresh("a.trace");
    await eintr(["record", "alarm", "--stack", "graphene-linux", "-o", dir]);
    const [live, plain] = [await eintr(["analyze", dir, "--live"]), await eintr(["analyze", dir])];
    expect(live.out).toBe(plain.out);
    expect(live.code).toBe(plain.code);
  });

  test("says what it cannot follow", async () => {
    expect((await eintr(["analyze", fresh("none.trace"), "--live"])).talk).toContain("begin the recording first");
    const dir = fresh("a.trace");
    await eintr(["record", "alarm", "--stack", "graphene-linux", "-o", dir]);
    const packed = fresh("a.eintr");
    expect((await eintr(["pack", dir, "-o", packed])).code).toBe(0);
    expect((await eintr(["analyze", packed, "--live"])).talk).toContain("is a packed trace");
  });
});
