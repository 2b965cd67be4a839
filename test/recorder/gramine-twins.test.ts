/**
 * Twins: what a real Gramine's own log says it did, beside the run on gramine-linux of the same program's strace log, recorded on Linux: calls and
 * their results, handlers, where they run and in which order, ends. `eintr diff` compares the same (`gramine-logs.test.ts`); here in memory.
 */

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { besideLog, createObserver, type Difference, type Observed, verdictOf } from "../../analyzer/index.ts";
import { parseScenario } from "../../engine/index.ts";
import { gramine } from "../../recorder/import/gramine/index.ts";
import { straceToScenario } from "../../recorder/import/strace/index.ts";
import { observedRun } from "../support/verdict.ts";

const OWN = new URL("../fixtures/gramine-logs/", import.meta.url);
const STRACE = new URL("../fixtures/gramine/", import.meta.url);
const read = (url: URL): string => gunzipSync(readFileSync(url)).toString("utf8");

const LOGS = readdirSync(OWN).map((file) => file.replace(/\.gramine\.log\.gz$/, ""));
const TWINS = LOGS.filter((name) => readdirSync(STRACE).includes(`${name}.strace.gz`));

async function logged(name: string): Promise<Observed> {
  const imported = await gramine.read(chunk(read(new URL(`${name}.gramine.log.gz`, OWN))), name);
  if (imported.is !== "transitions") throw new Error("a log of Gramine tells what happened");
  const { source } = imported;
  const observer = createObserver(source, { name: "Gramine", program: "" });
  while (await source.run(10_000, observer));
  source.flush(observer);
  return observer.finish("recorded", null);
}

async function* chunk(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text);
}

function emulated(name: string): Observed {
  const scenario = parseScenario(JSON.stringify(straceToScenario(read(new URL(`${name}.strace.gz`, STRACE)), name).scenario), name);
  return observedRun({ stack: "gramine-linux", scenario: { ...scenario, options: ["sigterm-injection"] } });
}

/** What a program prints tells what it was answered: in the strace log that was Linux's answer. */
const isPrinted = ({ what, kind }: Difference): boolean => kind === "result" && what.startsWith("write(1, ");

/** "main read: -EINTR, there 1"; how often when more than once. */
function short(differences: readonly Difference[]): string[] {
  const counts = new Map<string, number>();
  for (const { thread, what, one, other } of differences) {
    const text = `${thread} ${what.replace(/\(.*/, "")}: ${one.text}, there ${other.text}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, times]) => (times > 1 ? `${times} x ${text}` : text));
}

const A_JOIN = "chance: whether a thread has ended before another one waits for it, or has begun to end when the process does";
const GOES_ON = "the program does what it does after an answer that Linux has not given";

/** All other differences, and why. */
const WHY: Readonly<Record<string, readonly [why: string, ...differences: readonly string[]]>> = {
  b09_wait4_eintr: [GOES_ON, "main wait4: 2, there is not called", "main write: 24, there is not called"],
  b11_sigsuspend_ignored: [A_JOIN, "thread-2 futex: 1, there 0", "main futex_wait: 0, there is not called"],
  b12_oldset_readonly: [
    "the log tells of such a call at its end",
    "main sigprocmask: is not called, there does not return: the thread exits",
  ],
  b15_poll_starts_over: [
    "on Linux the program ended when two of ten signals had come",
    "8 x thread-2 tgkill: 0, there is not called",
    "7 x thread-2 nanosleep: 0, there is not called",
    "thread-2 sigprocmask: 0, there is not called",
    "thread-2 futex: 0, there is not called",
    "thread-2 exit: does not return: the thread exits, there is not called",
  ],
  b16_futex_restart: [A_JOIN, "thread-2 exit: does not return: the thread exits, there is not called"],
  b27_group_kill: [
    "a child ends with the number of signals that it saw; on Linux it saw all",
    "process-33 process process-33: exits with status 0, there exits with status 2",
    "process-34 process process-34: exits with status 0, there exits with status 1",
  ],
  s01_read_eintr: [A_JOIN, "thread-2 exit: does not return: the thread exits, there is not called"],
  s13_kill_parent_child: [GOES_ON, "main nanosleep: 0, there is not called"],
  s16_fork_exec_disp: ["the file lies elsewhere", "main access: 0, there -ENOENT"],
  s25_restart_classes: [
    A_JOIN,
    "thread-6 futex: 0, there 1",
    "2 x main futex_wait: -EAGAIN, there 0",
    "2 x main futex_wait: is not called, there 0",
    "thread-8 futex: 0, there 1",
  ],
  s26_two_signals_one_read: [A_JOIN, "main futex_wait: -EAGAIN, there 0"],
};

describe("Gramine's own log beside a run of its strace twin", () => {
  for (const name of TWINS)
    it(name, async () => {
      const verdict = await verdictOf(await logged(name), emulated(name), [], {
        ignored: besideLog({ origin: "imported" }, { origin: "emulated" }, {}),
      });
      const differing = (verdict?.differences ?? []).filter((one) => one.weight === "differs" && !isPrinted(one));
      const [, ...expected] = WHY[name] ?? [""];
      expect(short(differing)).toEqual(expected);
      // Of what was compared, most is neither printed nor of chance.
      expect(verdict?.compared).toBeGreaterThan(0);
    });

  it("every log that has a twin; only those of the two hangs have none", () => {
    expect(LOGS.filter((name) => !TWINS.includes(name))).toEqual(["b02_hang.1.1", "b02_hang.1.2"]);
  });
});
