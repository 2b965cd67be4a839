/**
 * The importer's former faults F1 to F23 (`fixtures/oracle`): what each log tells on native-linux, in a golden beside what the real kernel did.
 * `kernel-logs.test.ts` compares the same runs with the logs, call by call.
 */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseScenario } from "../../engine/index.ts";
import { straceToScenario } from "../../recorder/import/strace/index.ts";
import { expectGolden } from "../support/golden.ts";
import { endOf, runScenario } from "../support/run-scenario.ts";
import { storyLine } from "../support/story-line.ts";

const FOLDER = new URL("../fixtures/oracle/", import.meta.url);
const textOf = (name: string): string => readFileSync(new URL(`${name}.strace`, FOLDER), "utf8");
const scenarioOf = (name: string, text = textOf(name)) =>
  parseScenario(JSON.stringify(straceToScenario(text, `${name}.strace`).scenario), name);

/** By log: what the real kernel did. */
const LINUX: Readonly<Record<string, string>> = {
  "F1-livelock-restart": "read = 1 after 2 ticks, exit",
  "F2-wait-counted-twice": "alarm(0) = 3, after 1.654 s",
  "F3-sigwait": "the signal is taken, exit 0",
  "F3b-signalfd": "the signal is taken, exit 0",
  "F4-uninterruptible": "fsync = 0",
  "F5-private-before-shared": "SIGUSR2 (for the thread) first, then SIGUSR1 (for the process)",
  "F6-ignore-flushes-pending": "the handler does not run",
  "F7-alarm-rounding": "alarm(0) = 2 with 2.3 s left",
  "F8-failed-sigaction": "EINVAL, the signal stays ignored",
  "F9-reraise-in-handler": "the child is killed by SIGTERM",
  "F10-leader-exits-first": "thread 11 gets SIGUSR1: pause = EINTR",
  "F11-ucontext-mask": "SIGUSR2 is blocked after the handler",
  "F12-kill-self-told-as-difference": "killed",
  "F13-longjmp-without-mask": "the program goes on",
  "F13b-longjmp-record-fails": "exit 0",
  "F14-wait-order": "12, then 11",
  "F15-frame-fault": "SIGHUP's frame faults, the program goes on",
  "F16-process-signal-to-other-thread": "thread 11 takes it, futex = 0",
  "F17-handler-body-differs": "four EINTR, four runs of the handler",
  "F18-signal-inside-handler": "SIGTERM is ignored, as the handler before has set it",
  "F19-epoll-mask-blocks": "epoll_pwait = 1",
  "F22-graphene-waitpid-spins": "waits for one child while another one is a zombie",
};

/** A story of many rounds is told by its beginning and its end. */
const shortened = (text: string): string => (text.length > 900 ? `${text.slice(0, 450)} ... ${text.slice(-200)}` : text);

it("each tells what the kernel did", () => {
  const lines = Object.entries(LINUX).flatMap(([name, linux]) => {
    const ran = runScenario(scenarioOf(name), "native-linux", { rows: 2_000_000 });
    return [`${name}: ${linux}`, ...ran.threads.map(({ name: who }) => `  ${who}: ${shortened(storyLine(ran, who))}`)];
  });
  expectGolden("oracle-faults.txt", `${lines.join("\n")}\n`);
});

it.each(["graphene-linux", "graphene-sgx"] as const)(
  "F22, %s: the wait for one child does not turn round while another one is a zombie",
  (stack) => {
    expect(endOf(runScenario(scenarioOf("F22-graphene-waitpid-spins"), stack))).not.toBe("endless");
  },
);

it("F23: a log of more than a million lines may be run", () => {
  const long = `${textOf("F7-alarm-rounding")}${"\n".repeat(1_000_001)}`;
  const scenario = scenarioOf("long", long);
  expect(scenario.limit.transitions).toBe(1_000_000_000);
});
