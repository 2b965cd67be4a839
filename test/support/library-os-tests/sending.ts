/** Regression tests of Gramine's: dispositions, sending, restart, timers (libos/test/regression) */

import { endOf, handled, on, resultOf, results, rowsOf } from "../run-scenario.ts";
import { block, calls, ended, type LibraryOsTest, raise, runs } from "./words.ts";

export const SENDING_TESTS: readonly LibraryOsTest[] = [
  {
    name: "syscall",
    main: [on("SIGILL"), { fault: { what: "syscall" } }, "getpid"],
    look: calls("getpid"),
    passes: "getpid 1; no handler; exit",
    otherwise: [
      {
        on: ["graphene-sgx"],
        outcome: "getpid never returns; no handler; hang",
        because: "in an enclave it is #UD with an opcode that is not known: the thread is ended (2.4); emulated from 2019-05-14",
      },
    ],
  },
  {
    name: "sighandler_reset",
    main: [on("SIGCHLD", "quick", { flags: ["SA_RESETHAND"] }), { fork: "child" }, { retry: { while: "EINTR", do: [{ wait4: {} }] } }],
    more: {
      programs: {
        child: [{ kill: { process: "parent", signal: "SIGCHLD" } }, { kill: { process: "parent", signal: "SIGCHLD" } }, "exit-group"],
      },
    },
    look: (ran) => `${runs(ran, "main")}; wait4 ${Number(resultOf(ran, "wait4")) > 0 ? "the pid" : resultOf(ran, "wait4")}`,
    passes: "SIGCHLD; exit; wait4 the pid",
    otherwise: [
      {
        on: ["graphene-pr1218"],
        outcome: "no handler; exit; wait4 the pid",
        because: "append_signal asks for the handler, and that uses the action up before it is delivered (shim_signal.c:651-677, 1071)",
      },
    ],
  },
  {
    name: "sigaction_per_process",
    main: [{ clone: "sets" }, { nanosleep: "1ms" }, { tgkill: { thread: "self", signal: "SIGUSR2" } }, { "pthread-join": "sets" }],
    more: { programs: { sets: [on("SIGUSR2"), { nanosleep: "5ms" }] } },
    look: (ran) => `main: ${handled(ran, "main").join() || "none"}; the other: ${handled(ran, "sets").join() || "none"}; ${endOf(ran)}`,
    passes: "main: SIGUSR2; the other: none; exit",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347"],
        outcome: "main: none; the other: none; exit",
        because: "each thread has dispositions of its own (3.2); the default of SIGUSR2 is to be ignored (1.7)",
      },
      {
        on: ["graphene-pr1218"],
        outcome: "main: none; the other: none; killed",
        because: "the same; the default of SIGUSR2 ends the thread (shim_signal.c, default_sighandler)",
      },
    ],
  },
  {
    name: "sighandler_sigpipe",
    main: [
      on("SIGPIPE"),
      { close: "broken" },
      { write: { to: "broken", bytes: 1 } },
      { sigaction: { signal: "SIGPIPE", handler: "default" } },
      { write: { to: "broken", bytes: 1 } },
      "getpid",
    ],
    look: (ran) =>
      `${results(ran)
        .filter((text) => text.startsWith("write"))
        .join(", ")}; ${handled(ran).join() || "no handler"}; ${ended(ran)}`,
    passes: "write -EPIPE; SIGPIPE; killed by SIGPIPE",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347", "graphene-pr1218"],
        outcome: "write -ECONNRESET, write -ECONNRESET; no handler; exit 0",
        because: "no SIGPIPE reaches the application (2.7); added 2020-05-15",
      },
    ],
  },
  {
    name: "signal_multithread",
    main: [
      on("SIGUSR1"),
      { clone: "yields" },
      { nanosleep: "1ms" },
      raise("SIGUSR1"),
      { nanosleep: "1ms" },
      { set: "done" },
      { "pthread-join": "yields" },
    ],
    more: { programs: { yields: [{ loop: { until: "done", do: ["yield", { compute: "50us" }] } }] } },
    look: runs,
    passes: "SIGUSR1; exit",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347", "graphene-pr1218"],
        outcome: "SIGUSR1 SIGUSR1; exit",
        because: "each thread gets it (3.2 signal-fanout-all-threads)",
      },
    ],
  },
  {
    name: "sighandler_divbyzero",
    main: [on("SIGFPE", "mends"), { vectors: "live" }, { fault: { what: "divide" } }, { vectors: "check" }],
    more: { handlers: { mends: [{ vectors: "clobber" }, "skip-fault"] } },
    look: (ran) =>
      `${runs(ran)}; vectors ${rowsOf(ran, { where: "are the vector registers as they were?" })[0]?.value === 1 ? "kept" : "lost"}`,
    passes: "SIGFPE; exit; vectors kept",
    otherwise: [{ on: ["graphene-sgx"], outcome: "SIGFPE; exit; vectors lost", because: "3.4 sgx-xstate-not-saved" }],
  },
  {
    name: "kill_all",
    main: [
      { fork: "child" },
      { fork: "child" },
      { nanosleep: "5ms" },
      { kill: { process: "all", signal: "SIGTERM" } },
      { wait4: {} },
      { wait4: {} },
    ],
    more: {
      programs: { child: [{ sigaction: { signal: "SIGTERM", handler: "default" } }, { loop: { times: 5, do: [{ nanosleep: "50ms" }] } }] },
    },
    look: (ran) =>
      `children: ${ended(ran, "child")}, ${ended(ran, "child#2")}; main: ${handled(ran, "main").join() || "no handler"}, ${ended(ran)}`,
    passes: "children: killed by SIGTERM, killed by SIGTERM; main: no handler, exit 0",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr1218"],
        outcome: "children: killed by SIGTERM, killed by SIGTERM; main: SIGTERM, exit 0",
        because: "a broadcast, and to oneself (2.15)",
      },
      {
        on: ["graphene-pr347"],
        outcome: "children: killed by SIGTERM, killed by SIGTERM; main: SIGTERM, killed by SIGTRAP",
        because: "the same; then SIGCHLD leaves SIGNAL_DELAYED, as in multisleep (errata A17: int3)",
      },
    ],
  },
  {
    name: "syscall_restart, ignored",
    main: [{ fork: "child" }, { read: { from: "pipe", bytes: 1 } }, { wait4: {} }],
    more: {
      programs: {
        child: [
          { nanosleep: "10ms" },
          { kill: { process: "parent", signal: "SIGCHLD" } },
          { nanosleep: "10ms" },
          { write: { to: "pipe", bytes: 1 } },
          "exit-group",
        ],
      },
    },
    look: calls("read"),
    passes: "read 1; no handler; exit",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-pr347"],
        outcome: "read -EINTR; no handler; exit",
        because: "nothing is restarted (3.2 sa-mask-and-flags-ignored)",
      },
      {
        on: ["graphene-sgx"],
        outcome: "read -ENOSYS; no handler; exit",
        because: "the same, and the error is an older one's (3.1 sgx-interrupted-code-lost)",
      },
    ],
  },
  {
    name: "syscall_restart, SA_RESTART",
    main: [on("SIGTERM", "quick", { flags: ["SA_RESTART"] }), { fork: "child" }, { read: { from: "pipe", bytes: 1 } }, { wait4: {} }],
    more: {
      programs: {
        child: [
          { nanosleep: "10ms" },
          { kill: { process: "parent", signal: "SIGTERM" } },
          { nanosleep: "10ms" },
          { write: { to: "pipe", bytes: 1 } },
          "exit-group",
        ],
      },
    },
    look: calls("read"),
    passes: "read 1; SIGTERM; exit",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-pr347", "graphene-pr1218"],
        outcome: "read -EINTR; SIGTERM; exit",
        because: "nothing is restarted",
      },
      { on: ["graphene-sgx"], outcome: "read -ENOSYS; SIGTERM; exit", because: "nothing is restarted, and the error is an older one's" },
    ],
  },
  {
    name: "itimer",
    main: [
      on("SIGALRM"),
      { setitimer: { value: "10ms", interval: "10ms" } },
      { compute: "55ms" },
      "getitimer",
      { setitimer: { value: "0ms" } },
    ],
    look: (ran) =>
      `${handled(ran).length} handlers; interval ${
        rowsOf(ran, { what: "app.output" })
          .filter((r) => r.extra === 8)
          .map((r) => r.value / 1e6)[0]
      } ms`,
    passes: "5 handlers; interval 10 ms",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-sgx", "graphene-pr347", "graphene-pr1218"],
        outcome: "0 handlers; interval 10 ms",
        because: "3.2 setitimer-never-signals",
      },
    ],
  },
  {
    name: "sigterm_multithread",
    main: [block("SIGTERM"), { clone: "waits" }, { loop: { times: 60, do: [{ nanosleep: "1ms" }] } }],
    signals: [{ signal: "SIGTERM", when: { at: "20ms" } }],
    more: {
      programs: {
        waits: [
          block("SIGTERM"),
          { sigtimedwait: { signals: ["SIGTERM"] } },
          { if: { result: "15", do: [{ "exit-group": 0 }], else: [{ "exit-group": 1 }] } },
        ],
      },
    },
    options: ["sigterm-injection"],
    look: (ran) => `rt_sigtimedwait ${resultOf(ran, "rt_sigtimedwait", "waits")}; ${ended(ran)}`,
    passes: "rt_sigtimedwait 15; exit 0",
    otherwise: [
      {
        on: ["graphene-linux", "graphene-pr347"],
        outcome: "rt_sigtimedwait -ENOSYS; exit 0",
        because: "not implemented; the status as in exit_group",
      },
      { on: ["graphene-sgx", "graphene-pr1218"], outcome: "rt_sigtimedwait -ENOSYS; exit 1", because: "not implemented" },
    ],
  },
  {
    name: "poll_closed_fd",
    main: [
      { fork: "child" },
      { poll: { on: ["pipe"] } },
      { read: { from: "pipe", bytes: 32 } },
      { poll: { on: ["pipe"] } },
      { read: { from: "pipe", bytes: 32 } },
      { wait4: {} },
    ],
    more: { programs: { child: [{ write: { to: "pipe", bytes: 30 } }, { close: "pipe" }, "exit-group"] } },
    look: (ran) =>
      `${results(ran)
        .filter((text) => /poll|read/.test(text))
        .join(", ")}; ${endOf(ran)}`,
    passes: "poll 1, read 30, poll 1, read 0; exit",
    stacks: ["gramine-linux", "gramine-sgx"],
  },
];
