/** Programs of Graphene's that were run by hand (LibOS/shim/test/native) */

import { endOf, handled, on, resultOf, results } from "../run-scenario.ts";
import { calls, ended, type LibraryOsTest } from "./words.ts";

export const GRAPHENE_TESTS: readonly LibraryOsTest[] = [
  {
    name: "alarm",
    main: [on("SIGALRM"), { alarm: "1s" }, { nanosleep: "1100ms" }],
    look: calls("nanosleep"),
    passes: "nanosleep -EINTR; SIGALRM; exit",
  },
  {
    name: "kill",
    main: [{ fork: "child" }, { nanosleep: "10ms" }, { kill: { process: "child", signal: "SIGKILL" } }, { wait4: {} }],
    more: { programs: { child: [{ nanosleep: "600ms" }] } },
    look: (ran) => `kill ${resultOf(ran, "kill")}; child: ${ended(ran, "child")}, nanosleep ${resultOf(ran, "nanosleep", "child")}`,
    passes: "kill 0; child: killed by SIGKILL, nanosleep never returns",
  },
  {
    name: "kill parent",
    main: [{ fork: "child" }, { nanosleep: "600ms" }],
    more: { programs: { child: [{ nanosleep: "10ms" }, { kill: { process: "parent", signal: "SIGKILL" } }] } },
    look: (ran) => `kill ${resultOf(ran, "kill", "child")}; parent: ${ended(ran, "main")}, nanosleep ${resultOf(ran, "nanosleep")}`,
    passes: "kill 0; parent: killed by SIGKILL, nanosleep never returns",
  },
  {
    name: "pid_kill",
    main: [{ fork: "first" }, { fork: "second" }, { wait4: {} }, { wait4: {} }],
    more: {
      programs: {
        first: [
          on("SIGUSR1", "first"),
          { nanosleep: "5ms" },
          { kill: { process: "second", signal: "SIGUSR1" } },
          { loop: { times: 4, do: [{ nanosleep: "20ms" }] } },
        ],
        second: [on("SIGUSR1", "second"), { loop: { times: 4, do: [{ nanosleep: "20ms" }] } }],
      },
      handlers: {
        first: [{ kill: { process: "second", signal: "SIGUSR1" } }],
        second: [{ kill: { process: "first", signal: "SIGUSR1" } }],
      },
      limit: { time: "2s", transitions: 60_000 },
    },
    look: (ran) => `${handled(ran, "first").length} and ${handled(ran, "second").length} handlers; ${endOf(ran)}`,
    passes: "4 and 4 handlers; exit",
  },
  {
    name: "divzero",
    main: [on("SIGFPE", "ends"), { fault: { what: "divide" } }],
    more: { handlers: { ends: [{ "exit-group": 7 }] } },
    look: (ran) => `${handled(ran).join()}; ${ended(ran)}`,
    passes: "SIGFPE; exit 7",
  },
  {
    name: "multisleep",
    main: [{ fork: "other" }, { clone: "thread" }, { loop: { times: 4, do: [{ nanosleep: "10ms" }] } }, { wait4: {} }],
    more: {
      programs: {
        thread: [{ loop: { times: 3, do: [{ nanosleep: "10ms" }] } }],
        other: [{ clone: "thread" }, { loop: { times: 4, do: [{ nanosleep: "10ms" }] } }],
      },
    },
    look: (ran) =>
      `${["main", "thread", "thread#2", "other"].map((who) => results(ran, who).filter((r) => r === "nanosleep 0").length).join(" ")} ${endOf(ran)}`,
    passes: "4 3 3 4 exit",
    otherwise: [
      {
        on: ["graphene-pr347"],
        outcome: "4 3 3 4 assert",
        because: "a RESUME while preempt is up leaves SIGNAL_DELAYED for the assertion of END_SHIM (pr347.md 2, resume)",
      },
    ],
  },
  {
    name: "futex_timeout",
    main: [{ "futex-wait": { on: "word", timeout: "100ms" } }],
    look: (ran) => `${resultOf(ran, "futex_wait")} after ${Math.floor(ran.machine.now / 1e8) * 100} ms`,
    passes: "-ETIMEDOUT after 100 ms",
    otherwise: [
      {
        on: ["graphene-sgx"],
        outcome: "never returns after 4900 ms",
        because: "the time-out becomes TRYAGAIN, and the LibOS waits again (golden/cases/README.md, futex-sig)",
      },
    ],
  },
];
