/** gramine-today-corrections.md: 7.1, N1 to N12; and what reading of the source has added since */

import { endOf, handled, on, resultOf, rowsOf } from "../run-scenario.ts";
import { storyLine } from "../story-line.ts";
import { block, type Difference, raise, SWEPT, sends, took } from "./words.ts";

export const N_DIFFERENCES: readonly Difference[] = [
  {
    id: "7.1 (release_id)",
    what: "a process that outlives the leader cannot give its id back, and ends with status 1",
    main: [{ fork: "child" }],
    more: { programs: { child: [{ nanosleep: "5ms" }, { "exit-group": 3 }] } },
    look: (ran) => `exit ${rowsOf(ran, { what: "process.exit", who: "child" }).at(-1)?.value}`,
    linux: "exit 3",
    gramine: "exit 1",
  },
  {
    id: "N1",
    what: "no signal ends a read of an eventfd",
    main: [on("SIGUSR1"), { eventfd: { on: "counter" } }, { clone: "worker" }, { read: { from: "counter" } }],
    more: sends("SIGUSR1"),
    look: (ran) => resultOf(ran, "read"),
    linux: "-EINTR",
    gramine: "never returns",
    fix: "eventfd-read-uninterruptible",
  },
  {
    id: "N2",
    what: "a second reader of a socket waits in a lock, where its kick is swallowed: exit_group never ends",
    main: [{ clone: "first" }, { nanosleep: "1ms" }, { clone: "second" }, { nanosleep: "5ms" }, "exit-group"],
    more: {
      objects: { socket: "socket" },
      programs: { first: [{ nanosleep: "2ms" }, { read: { from: "socket" } }], second: [{ read: { from: "socket" } }] },
    },
    look: endOf,
    linux: "exit",
    gramine: "endless",
    fix: "exit-kick-lost",
  },
  {
    id: "N4",
    what: "an alarm that expires while the async worker is between its looks at the clock is not delivered",
    main: [on("SIGALRM"), { setitimer: { value: "2ms" } }, { clone: "short" }, { nanosleep: "20ms" }],
    more: { programs: { short: [{ compute: SWEPT }] } },
    sweep: { from: 1_984_000, to: 1_985_600, step: 50 },
    look: (ran) => handled(ran).join(),
    linux: "SIGALRM",
    gramine: "",
    fix: "alarm-lost-in-worker-gap",
  },
  {
    id: "N6",
    what: "exit_group waits for a thread that waits for another process's answer: here that one is stopped",
    main: [{ fork: "child" }, { clone: "worker" }, { nanosleep: "20ms" }, "exit-group"],
    signals: [{ signal: "SIGSTOP", process: "child", when: { at: "8ms" } }],
    more: {
      programs: { child: [{ nanosleep: "100ms" }], worker: [{ nanosleep: "10ms" }, { kill: { process: "child", signal: "SIGUSR1" } }] },
      limit: { time: "60ms", transitions: 30_000 },
    },
    look: (ran) => (rowsOf(ran, { what: "process.exit", who: "main" }).length > 0 ? "ends" : "never ends"),
    linux: "ends",
    gramine: "never ends",
  },
  {
    id: "N11",
    what: "a process that cannot answer a kill, because the sender's host process has died, ends with status 1",
    main: [{ fork: "child" }, { nanosleep: "1ms" }, { kill: { process: "child", signal: "SIGURG" } }],
    signals: [
      {
        signal: "SIGKILL",
        when: { thread: "main", site: "ipc_send_msg_and_get_response: wait_for_response: PalEventWait(event, NULL)" },
        stacks: ["gramine-linux"],
      },
      { signal: "SIGKILL", when: { thread: "main", call: "nanosleep" }, stacks: ["native-linux"] },
    ],
    more: { programs: { child: [{ nanosleep: "50ms" }] } },
    look: (ran) => storyLine(ran, "child").match(/exit \d+/)?.[0] ?? "",
    linux: "exit 0",
    gramine: "exit 1",
  },
  {
    id: "N5",
    what: "a waiter whose time is over, and which a waker has counted, says -ETIMEDOUT",
    main: [{ clone: "waker" }, { "futex-wait": { on: "word", timeout: "5ms" } }, { nanosleep: "10ms" }],
    more: { programs: { waker: [{ compute: SWEPT }, { "futex-wake": { on: "word", count: 1 } }] } },
    sweep: { from: 5_001_000, to: 5_004_000, step: 100 },
    look: (ran) => (resultOf(ran, "futex_wake", "waker") === "1" && resultOf(ran, "futex_wait") !== "0" ? "lost" : "not lost"),
    linux: "not lost",
    gramine: "lost",
    fix: "futex-wake-lost-on-timeout",
  },
  {
    id: "ppoll (s10)",
    what: "ppoll sleeps over a signal that is pending and that its mask lets through",
    main: [on("SIGUSR1"), block("SIGUSR1"), raise("SIGUSR1"), { poll: { on: ["pipe"], timeout: "5ms", mask: [] } }],
    look: (ran) => `${resultOf(ran, "poll")} after ${took(ran, "poll")}, ${handled(ran).join()}`,
    linux: "-EINTR after 0 ms, SIGUSR1",
    gramine: "0 after 5 ms, SIGUSR1",
    fix: "ppoll-ignores-pending",
  },
  {
    id: "retarget",
    what: "a signal for the process waits for the thread that was told of it and has blocked it since, beside one that would take it",
    main: [
      on("SIGUSR1", "slow", { mask: ["SIGUSR2"] }),
      on("SIGUSR2"),
      { clone: "waiter" },
      { clone: "sender" },
      { read: { from: "pipe" } },
    ],
    more: {
      programs: {
        waiter: ["pause"],
        sender: [block("SIGUSR2"), { nanosleep: "2ms" }, raise("SIGUSR2"), { tgkill: { thread: "main", signal: "SIGUSR1" } }],
      },
      handlers: { slow: [{ nanosleep: "5ms" }] },
      limit: { time: "30ms", transitions: 20_000 },
    },
    look: (ran) => `main: ${handled(ran, "main").join()}, waiter: ${handled(ran, "waiter").join()}`,
    linux: "main: SIGUSR1, waiter: SIGUSR2",
    gramine: "main: SIGUSR1,SIGUSR2, waiter: ",
  },
];
