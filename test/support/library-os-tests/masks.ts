/** Regression tests of Gramine's: alternate stack, ends, masks and what is pending (libos/test/regression) */

import { on, resultOf } from "../run-scenario.ts";
import { storyLine } from "../story-line.ts";
import { abort, block, ended, type LibraryOsTest, raise, runs, unblock } from "./words.ts";

export const MASK_TESTS: readonly LibraryOsTest[] = [
  {
    name: "sigaltstack",
    main: [{ sigaltstack: { bytes: 65536 } }, on("SIGALRM", "nests", { flags: ["SA_NODEFER", "SA_ONSTACK"] }), raise("SIGALRM")],
    more: {
      handlers: {
        nests: [{ "by-run": { threads: { main: { as: ["again", "again"], ends: ["0ns", "0ns"] } }, otherwise: "quick" } }],
        again: [{ sigaltstack: { bytes: 65536 } }, unblock("SIGALRM"), raise("SIGALRM")],
      },
    },
    look: (ran) => `${runs(ran)}; in the handler ${resultOf(ran, "sigaltstack")}`,
    passes: "SIGALRM SIGALRM SIGALRM; exit; in the handler -EPERM",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx"],
        outcome: "SIGALRM; assert; in the handler 0",
        because:
          "one raised in its handler is delayed, and the assertion of END_SHIM sees the bit (3.1 signal-delayed-breaks-preempt-assert); the stack is stored and never used (2.17)",
      },
      {
        on: ["graphene-pr347"],
        outcome: "SIGALRM SIGALRM SIGALRM; exit; in the handler 0",
        because: "handlers nest; the stack is stored and never used (2.17)",
      },
    ],
  },
  { name: "abort", main: [abort], look: ended, passes: "killed by SIGABRT" },
  {
    name: "abort_multithread",
    main: [{ clone: "aborts" }, { "pthread-join": "aborts" }],
    more: { programs: { aborts: [abort] } },
    look: ended,
    passes: "killed by SIGABRT",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347"],
        outcome: "exit 0",
        because: "the default ends only the thread that ran it (2.16); repaired 2019-10-28",
      },
    ],
  },
  {
    name: "exit_group, by the main thread",
    main: [{ clone: "sleeps" }, { nanosleep: "1ms" }, { "exit-group": 100 }],
    more: { programs: { sleeps: [{ nanosleep: "300ms" }] } },
    look: ended,
    passes: "exit 100",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347"],
        outcome: "exit 0",
        because: "the last thread to end, by SIGKILL, sets the process's code to 0 (shim_exit.c:136; errata A12); repaired 2019-10-07",
      },
    ],
  },
  {
    name: "exit_group, by another",
    main: [{ clone: "ends" }, { nanosleep: "300ms" }],
    more: { programs: { ends: [{ nanosleep: "1ms" }, { "exit-group": 101 }] } },
    look: ended,
    passes: "exit 101",
    otherwise: [{ on: ["graphene-linux", "graphene-sgx", "graphene-pr347"], outcome: "exit 0", because: "the same" }],
  },
  {
    name: "sigprocmask_pending, masks",
    main: [{ sigprocmask: { how: "set", signals: ["SIGKILL", "SIGSTOP"] } }, { sigprocmask: { how: "set", signals: [], old: true } }],
    look: (ran) => storyLine(ran, "main"),
    passes: "sigprocmask 0, old []; exit 0",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347"],
        outcome: "sigprocmask 0, old [KILL STOP]; exit 0",
        because: "SIGKILL and SIGSTOP stay in the mask (2.17); repaired 2019-11-22",
      },
    ],
  },
  {
    name: "sigprocmask_pending, twice",
    main: [on("SIGALRM"), block("SIGALRM"), raise("SIGALRM"), raise("SIGALRM"), unblock("SIGALRM")],
    look: runs,
    passes: "SIGALRM; exit",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr1218"],
        outcome: "SIGALRM SIGALRM; exit",
        because: "a ring of 32 for each signal: nothing is one with another (1.6)",
      },
      {
        on: ["graphene-pr347"],
        outcome: "no handler; endless",
        because: "a blocked signal that is pending spins at the end of the next system call (pr347.md 2 c4)",
      },
    ],
  },
  {
    name: "sigprocmask_pending, twice, real-time",
    main: [block("SIGRT2"), raise("SIGRT2"), raise("SIGRT2"), on("SIGRT2"), unblock("SIGRT2")],
    look: runs,
    passes: "SIGRT2 SIGRT2; exit",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr1218"],
        outcome: "no handler; exit",
        because: "what is pending is looked for below NUM_KNOWN_SIGS, 32 (1.7)",
      },
      {
        on: ["graphene-pr347"],
        outcome: "no handler; endless",
        because: "a blocked signal that is pending spins at the end of the next system call (pr347.md 2 c4)",
      },
    ],
  },
  {
    name: "sigprocmask_pending, fork",
    main: [
      block("SIGALRM"),
      on("SIGALRM"),
      raise("SIGALRM"),
      { fork: "child" },
      { sigaction: { signal: "SIGALRM", handler: "default" } },
      { wait4: {} },
    ],
    more: { programs: { child: [unblock("SIGALRM"), "exit-group"] } },
    look: (ran) => runs(ran, "child"),
    passes: "no handler; exit",
    otherwise: [
      {
        on: ["graphene-pr347"],
        outcome: "no handler; endless",
        because: "a blocked signal that is pending spins at the end of the next system call (pr347.md 2 c4)",
      },
    ],
  },
  {
    name: "sigprocmask_pending, execve",
    main: [
      block("SIGALRM"),
      { sigaction: { signal: "SIGALRM", handler: "default" } },
      raise("SIGALRM"),
      "exec",
      on("SIGALRM"),
      "getpid",
      unblock("SIGALRM"),
    ],
    look: runs,
    passes: "SIGALRM; exit",
    otherwise: [
      {
        on: ["graphene-sgx"],
        outcome: "no handler; exit",
        because: "execve is another host process, with rings of its own (errata, execve)",
      },
      {
        on: ["graphene-pr347"],
        outcome: "no handler; endless",
        because: "a blocked signal that is pending spins at the end of the next system call (pr347.md 2 c4)",
      },
    ],
  },
];
