/** Programs that show what is particular to pull request 1218, each as small as it goes. */

import type { Program } from "./gramine-sgx.ts";
import { on } from "./run-scenario.ts";

const handlers = { h: [{ compute: "1us" }] };
/** A thread that does something after a millisecond, and lives on. */
const sender = (...operations: object[]): { sender: object[] } => ({ sender: [{ compute: "1ms" }, ...operations, { nanosleep: "20ms" }] });

/** The host's SIGTERM finds the application computing. */
export const IN_APPLICATION: Program = {
  main: [on("SIGTERM", "h"), { compute: "3ms" }],
  handlers,
  signals: [{ signal: "SIGTERM", when: { at: "2ms" } }],
};

/** SIGINT of the host finds the thread asleep in a call. */
export const IN_CALL: Program = {
  main: [on("SIGINT", "h"), { read: { from: "pipe" } }, { getpid: {} }],
  handlers,
  signals: [{ signal: "SIGINT", when: { thread: "main", call: "read" } }],
};

/** SIGINT of the host comes to the stub's exit, behind its look at the flag. */
export const IN_EXIT: Program = {
  main: [on("SIGINT", "h"), { getpid: {} }, { getpid: {} }],
  handlers,
  signals: [{ signal: "SIGINT", when: { thread: "main", site: "syscalldb (getpid): pop the registers, RSP, tcb.context.regs := NULL" } }],
};

/** SIGINT and SIGTERM are in the ring at the end of a call. */
export const CHAINED: Program = {
  main: [on("SIGINT", "h"), on("SIGTERM", "h"), { accept: { on: "listener" } }, { getpid: {} }],
  handlers,
  signals: ["SIGINT", "SIGTERM"].map((signal) => ({ signal, thread: "main", when: { at: "2ms" } })),
};

/** The same of SIGTERM whose action is the default, behind a SIGINT that a thread has sent. */
export const CHAINED_DEFAULT: Program = {
  main: [
    on("SIGINT", "h"),
    { clone: "sender" },
    { sigprocmask: { how: "block", signals: ["SIGINT", "SIGTERM"] } },
    { compute: "3ms" },
    { sigprocmask: { how: "unblock", signals: ["SIGINT", "SIGTERM"] } },
    { getpid: {} },
  ],
  programs: sender({ tgkill: { thread: "main", signal: "SIGINT" } }),
  handlers,
  signals: [{ signal: "SIGTERM", thread: "main", when: { at: "2ms" } }],
};

/** A stack that is full, and another one for handlers; the action does not ask for it. */
export const FULL_STACK: Program = {
  main: [
    on("SIGSEGV", "away"),
    { sigaltstack: { bytes: 8192 } },
    { sigsetjmp: { place: "back", do: [{ fault: { what: "memory", at: "stack-guard" } }] } },
    { getpid: {} },
  ],
  handlers: { away: [{ sigaltstack: { bytes: 8192 } }, { siglongjmp: { place: "back" } }] },
};

/** Two handlers on the alternate stack, one in the other. */
export const ALTERNATE: Program = {
  main: [on("SIGTERM", "asks"), on("SIGINT", "h"), { sigaltstack: { bytes: 8192 } }, { compute: "3ms" }, { getpid: {} }],
  handlers: { ...handlers, asks: [{ sigaltstack: { bytes: 8192 } }, { compute: "2ms" }] },
  signals: [
    { signal: "SIGTERM", when: { at: "2ms" } },
    { signal: "SIGINT", when: { at: "3ms" } },
  ],
};

/** SIGINT of the host finds the stub at the entry of a call without a function. */
export const UNDEFINED_CALL: Program = {
  main: [on("SIGINT", "h"), { call: { name: "statx", takes: "1us" } }, { getpid: {} }],
  handlers,
  signals: [
    { signal: "SIGINT", when: { thread: "main", site: "syscalldb (isundef): syscalldb: RSP := the thread's syscall stack, shim_regs" } },
  ],
};

/** A thread sends a signal whose handler is for once. */
export const ONCE: Program = {
  main: [on("SIGUSR1", "h", { flags: ["SA_RESETHAND"] }), { clone: "sender" }, { compute: "3ms" }, { getpid: {} }],
  programs: sender({ tgkill: { thread: "main", signal: "SIGUSR1" } }),
  handlers,
};

/** exit_group, while another thread computes. */
export const EXIT_GROUP: Program = {
  main: [{ clone: "busy" }, { compute: "1ms" }, { "exit-group": { status: 3 } }],
  programs: { busy: [{ compute: "3ms" }, { nanosleep: "1s" }] },
};
