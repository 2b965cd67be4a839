/** Differences of Gramine's SGX PAL that have a switch: with it the program sees what it sees on Linux. */

import { describe, expect, it } from "vitest";
import type { FixName, OptionName } from "../../engine/index.ts";
import { NATIVE, type Pin, type Program, runGramine } from "../support/gramine-sgx.ts";
import { endOf, handled, on, type Ran, results, rowsOf } from "../support/run-scenario.ts";

const USR1 = { sender: [{ nanosleep: "10ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] };
const atTheCheck = (call: string): readonly Pin[] => [
  { signal: "SIGTERM", site: "do_syscall_intr: compare last_async_event with 0", in: call },
];

interface Case {
  readonly fix: FixName;
  readonly program: Program;
  readonly options?: readonly OptionName[];
  /** What is asked of a run. */
  readonly tells: (ran: Ran) => unknown;
}

const CASES: readonly Case[] = [
  {
    fix: "not-ready-fail-loop",
    program: {
      main: ["getpid"],
      pins: [{ signal: "SIGCONT", site: "pal_linux_main: argv, envp", start: true }],
    },
    tells: endOf,
  },
  {
    fix: "exitless-eintr-is-eperm",
    options: ["exitless"],
    program: {
      main: [on("SIGUSR1", "quick", { flags: ["SA_RESTART"] }), { clone: "sender" }, { read: { from: "pipe" } }],
      programs: USR1,
      arrivals: [{ to: "pipe", when: { at: "30ms" } }],
    },
    tells: (ran) => [results(ran).at(-1), handled(ran)],
  },
  {
    fix: "connect-never-eintr",
    program: {
      main: [on("SIGUSR1"), { clone: "sender" }, { call: { name: "connect", takes: "50ms", interruptible: true } }],
      programs: USR1,
    },
    tells: (ran) => results(ran).at(-1),
  },
  {
    fix: "plain-eintr-from-file-io",
    program: { main: [{ call: { name: "pread64", takes: "1ms", interruptible: false } }], pins: atTheCheck("pread64") },
    tells: results,
  },
  {
    fix: "pipe-answers-eintr",
    program: { main: [{ call: { name: "pipe2", takes: "1us", interruptible: false } }], pins: atTheCheck("pipe2") },
    tells: results,
  },
  {
    fix: "fork-answers-eintr",
    program: {
      main: [{ fork: "child" }, { nanosleep: "1ms" }],
      programs: { child: [{ nanosleep: "5ms" }] },
      pins: [{ signal: "SIGCONT", site: "sgx_ocall (eexit_prepare): EEXIT", in: "fork", nth: 2 }],
    },
    tells: (ran) => results(ran)[0],
  },
  {
    fix: "exitless-child-keeps-rpc-mask",
    options: ["exitless"],
    program: {
      main: [{ fork: "child" }, { nanosleep: "8ms" }],
      programs: { child: [{ nanosleep: "10ms" }] },
      signals: [{ signal: "SIGINT", process: "child", when: { at: "6ms" } }],
    },
    tells: (ran) => rowsOf(ran, { what: "host.signal.default", who: "child" }).length,
  },
  {
    fix: "tls-write-eintr-substitution",
    program: {
      main: [{ write: { to: "pipe", bytes: 4 } }, { write: { to: "pipe", bytes: 7 } }, { read: { from: "pipe", bytes: 16 } }],
      pins: atTheCheck("write"),
    },
    options: ["sigterm-injection"],
    tells: (ran) => results(ran).at(-1),
  },
  {
    fix: "shutdown-skipped-by-pending-event",
    program: { main: [{ call: { name: "shutdown", takes: "1ms", interruptible: false } }], pins: atTheCheck("shutdown") },
    tells: (ran) => ran.rows.filter((row) => row.where === "host call: call: enter the kernel").length,
  },
];

describe.each(CASES.map((each) => [each.fix, each] as const))("%s", (fix, { program, options = [], tells }) => {
  const { pins: _, ...calm } = program;
  const native = tells(runGramine(NATIVE, calm));
  // The default of SIGTERM is not what these are about.
  const ignoring = fix === "tls-write-eintr-substitution" ? { ...program, main: [on("SIGTERM"), ...program.main] } : program;

  it("differs from Linux", () => expect(tells(runGramine("sgx", ignoring, options))).not.toEqual(native));

  it("does not with the fix", () => expect(tells(runGramine("sgx", ignoring, options, { fixes: [fix] }))).toEqual(native));
});
