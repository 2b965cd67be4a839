/** What a handler reads in its siginfo, and the mask it runs under: the kernel's values, and what the base revision fills in (errata B3). */

import { describe, expect, it } from "vitest";
import { at, on, type Ran, runProgram } from "../support/run-scenario.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";
const SGX = "graphene-sgx";

interface Told {
  readonly signo: number;
  readonly code: number;
  readonly pid: number;
  /** [1 si_status, 2 si_addr, 3 si_value; the field], or [0, 0]. */
  readonly more: readonly [number, number];
  /** Numbers of blocked signals. */
  readonly mask: readonly number[];
}

/** One entry for each handler run: the three rows that follow its entry. */
const told = (ran: Ran): Told[] =>
  ran.rows.flatMap((row) => {
    if (row.what !== "app.handler.enter") return [];
    const [info, more, mask] = ran.rows.filter((later) => later.seq > row.seq && later.thread === row.thread).slice(0, 3);
    if (info?.what !== "app.siginfo" || more?.what !== "app.siginfo.more" || mask?.what !== "app.mask") return [];
    const bits = [mask.value, mask.extra >>> 0];
    const blocked = Array.from({ length: 64 }, (_, i) => i + 1).filter((n) => (bits[n > 32 ? 1 : 0] ?? 0) & (1 << ((n - 1) % 32)));
    return [{ signo: info.signal, code: info.value, pid: info.extra, more: [more.extra, more.value], mask: blocked }];
  });

const first = (ran: Ran): Omit<Told, "mask"> | undefined => {
  const [run] = told(ran);
  if (!run) return undefined;
  const { mask: _, ...info } = run;
  return info;
};

/** A main program of pid 1 that sets a handler for a signal, and what its first siginfo says on each stack. */
const CASES: [string, string, unknown[], Record<string, unknown>, ...Omit<Told, "mask">[]][] = [
  [
    "kill: SI_USER and the sender's pid; Graphene has the same code and the sender's tid",
    "SIGUSR1",
    [{ kill: { signal: "SIGUSR1" } }],
    {},
    { signo: 10, code: 0, pid: 1, more: [0, 0] },
    { signo: 10, code: 0, pid: 1, more: [0, 0] },
    { signo: 10, code: 0, pid: 1, more: [0, 0] },
  ],
  [
    "tgkill: SI_TKILL; Graphene: si_code stays 0",
    "SIGUSR1",
    [{ tgkill: { signal: "SIGUSR1" } }],
    {},
    { signo: 10, code: -6, pid: 1, more: [0, 0] },
    { signo: 10, code: 0, pid: 1, more: [0, 0] },
    { signo: 10, code: 0, pid: 1, more: [0, 0] },
  ],
  [
    "alarm: SI_KERNEL; Graphene: nothing is filled in, not even si_signo",
    "SIGALRM",
    [{ alarm: "1s" }, { nanosleep: "2s" }],
    {},
    { signo: 14, code: 128, pid: 0, more: [0, 0] },
    { signo: 0, code: 0, pid: 0, more: [0, 0] },
    { signo: 0, code: 0, pid: 0, more: [0, 0] },
  ],
  [
    "a child's exit(3): CLD_EXITED and 3; Graphene: code 0 and 3 << 8",
    "SIGCHLD",
    [{ fork: "child" }, { nanosleep: "1s" }],
    { child: [{ exit: { status: 3 } }] },
    { signo: 17, code: 1, pid: 2, more: [1, 3] },
    { signo: 17, code: 0, pid: 2, more: [1, 768] },
    { signo: 17, code: 0, pid: 2, more: [1, 768] },
  ],
  [
    "a child killed by SIGHUP: CLD_KILLED and 1; Graphene: 0 and 0",
    "SIGCHLD",
    [{ fork: "child" }, { nanosleep: "10ms" }, { kill: { process: "child", signal: "SIGHUP" } }, { nanosleep: "1s" }],
    { child: ["pause"] },
    { signo: 17, code: 2, pid: 2, more: [1, 1] },
    { signo: 17, code: 0, pid: 2, more: [1, 0] },
    { signo: 17, code: 0, pid: 2, more: [1, 0] },
  ],
  [
    "a bad address: SEGV_MAPERR and the address; under SGX the address is lost",
    "SIGSEGV",
    [{ fault: { what: "memory", address: 64 } }],
    {},
    { signo: 11, code: 1, pid: 0, more: [2, 64] },
    { signo: 11, code: 1, pid: 0, more: [2, 64] },
    { signo: 11, code: 1, pid: 0, more: [2, 0] },
  ],
  [
    "a protected page: SEGV_ACCERR",
    "SIGSEGV",
    [{ fault: { what: "memory", address: 64, at: "protected" } }],
    {},
    { signo: 11, code: 2, pid: 0, more: [2, 64] },
    { signo: 11, code: 2, pid: 0, more: [2, 64] },
    { signo: 11, code: 1, pid: 0, more: [2, 0] },
  ],
  [
    "an integer division by zero: FPE_INTDIV",
    "SIGFPE",
    [{ fault: { what: "divide", address: 80 } }],
    {},
    { signo: 8, code: 1, pid: 0, more: [2, 80] },
    { signo: 8, code: 1, pid: 0, more: [2, 80] },
    { signo: 8, code: 1, pid: 0, more: [2, 0] },
  ],
];

describe("siginfo of a handler run", () => {
  for (const [text, signal, main, programs, ...wanted] of CASES) {
    for (const [i, stack] of ([NATIVE, LINUX, SGX] as const).entries()) {
      it(`${stack}: ${text}`, () => {
        const skip = signal === "SIGSEGV" || signal === "SIGFPE" ? ["skip-fault"] : [];
        const ran = runProgram(stack, [on(signal, "looks"), ...main], [], {
          programs: programs as never,
          handlers: { looks: skip as never },
        });
        expect(first(ran)).toEqual(wanted[i]);
      });
    }
  }

  it("a sender outside has no pid here: SI_USER and 0 on every stack", () => {
    for (const stack of [NATIVE, LINUX, SGX] as const)
      expect(first(runProgram(stack, [{ compute: "2ms" }], [at("SIGINT", "1ms")]))).toEqual({ signo: 2, code: 0, pid: 0, more: [0, 0] });
  });

  it("nested handlers have each their own", () => {
    const ran = runProgram(NATIVE, [on("SIGTERM", "outer"), { kill: { signal: "SIGTERM" } }], [], {
      handlers: { outer: [{ tgkill: { signal: "SIGINT" } }] },
    });
    expect(told(ran).map(({ signo, code }) => [signo, code])).toEqual([
      [15, 0],
      [2, -6],
    ]);
  });
});

describe("mask of a handler run", () => {
  const masks = (stack: typeof NATIVE | typeof LINUX, flags: string[]): (readonly number[])[] =>
    told(
      runProgram(stack, [
        { sigprocmask: { how: "block", signals: ["SIGUSR1", "SIGRT8"] } },
        on("SIGTERM", "quick", { mask: ["SIGHUP"], flags }),
        { kill: { signal: "SIGTERM" } },
      ]),
    ).map(({ mask }) => mask);

  it("the kernel adds sa_mask and the signal itself, unless SA_NODEFER", () => {
    expect(masks(NATIVE, [])).toEqual([[1, 10, 15, 40]]);
    expect(masks(NATIVE, ["SA_NODEFER"])).toEqual([[1, 10, 40]]);
  });

  it("the LibOS adds nothing (D12)", () => {
    expect(masks(LINUX, [])).toEqual([[10, 40]]);
  });
});
