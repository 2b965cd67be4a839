/** Where today's Gramine differs from Linux, as scenarios: what each shows on both, and with the fix that ends it. */

import type { FixName, OptionName } from "../../engine/index.ts";
import { count, endOf, handled, on, type Ran, resultOf, rowsOf, type runProgram } from "./run-scenario.ts";
import { storyLine } from "./story-line.ts";

type More = NonNullable<Parameters<typeof runProgram>[3]>;
type Plans = NonNullable<Parameters<typeof runProgram>[2]>;

export interface Difference {
  readonly id: string;
  readonly what: string;
  readonly main: readonly unknown[];
  /** A race: the first of these times (ns) at which it is lost on Gramine is looked for, and the same one is taken elsewhere. */
  readonly sweep?: { readonly from: number; readonly to: number; readonly step: number };
  /** Where on Linux alone the same race would be, when it is at other times there: none of these is lost. */
  readonly native?: { readonly from: number; readonly to: number; readonly step: number };
  readonly signals?: Plans;
  readonly more?: More;
  readonly options?: readonly OptionName[];
  readonly look: (ran: Ran) => string;
  readonly linux: string;
  readonly gramine: string;
  readonly fix?: FixName;
  /** What the fix leaves, where that is not what Linux does. */
  readonly fixed?: string;
}

/** Stands for the swept time in a scenario. */
export const SWEPT = "$swept";

const block = (...signals: string[]): unknown => ({ sigprocmask: { how: "block", signals } });
const unblock = (...signals: string[]): unknown => ({ sigprocmask: { how: "unblock", signals } });
const raise = (signal: string): unknown => ({ kill: { process: "self", signal } });

/** A lock that is released by a thread that does not hold it. */
const unheld = (ran: Ran): string =>
  String(
    ran.rows.filter((row) => row.what === "unlock" && ran.texts[row.detail] === "children_lock" && row.extra !== row.thread).length > 0,
  );

/** ms of virtual time that the last call of that name took. */
function took(ran: Ran, call: string, who = "main"): string {
  const own = rowsOf(ran, { who });
  const to = own.findLast((row) => row.where === `libc ${call}: back in the application`);
  const from = own.findLast((row) => row.what === "app.call" && row.seq < (to?.seq ?? 0));
  return to && from ? `${Math.round((to.time - from.time) / 1e6)} ms` : "never";
}

const SIGNALS = "200ms";
/** A worker that sends what is ignored by default every 200 ms, five times. */
const winch: More = {
  programs: { worker: [{ loop: { times: 5, do: [{ nanosleep: SIGNALS }, { tgkill: { thread: "main", signal: "SIGWINCH" } }] } }] },
};
const sends = (signal: string, after = SIGNALS): More => ({
  programs: { worker: [{ nanosleep: after }, { tgkill: { thread: "main", signal } }] },
});

export const DIFFERENCES: readonly Difference[] = [
  {
    id: "B1",
    what: "an interrupted wait4 unlocks children_lock, which it does not hold",
    main: [on("SIGCHLD"), { fork: "child" }, { wait4: {} }, { wait4: {} }],
    more: { programs: { child: [{ nanosleep: "1ms" }] } },
    look: unheld,
    linux: "false",
    gramine: "true",
    fix: "wait4-unlocks-unheld-lock",
  },
  {
    id: "B2",
    what: "exit_group's only kick comes before the thread sleeps in the host: the process never ends",
    main: [{ clone: "worker" }, { nanosleep: "1ms" }, "exit-group"],
    more: { programs: { worker: [{ compute: SWEPT }, { read: { from: "pipe" } }] } },
    sweep: { from: 1_003_000, to: 1_004_200, step: 50 },
    look: endOf,
    linux: "exit",
    gramine: "endless",
    fix: "exit-kick-lost",
  },
  {
    id: "B3",
    what: "the host gives a SIGTERM to the main thread, which has ended and is parked: nobody else is woken",
    main: [{ clone: "worker" }, "exit"],
    signals: [{ signal: "SIGTERM", when: { at: "5ms" } }],
    more: { programs: { worker: [{ read: { from: "pipe" } }] } },
    options: ["sigterm-injection"],
    look: (ran) => `${resultOf(ran, "read", "worker")} ${handled(ran).join()}`,
    linux: "-EINTR SIGTERM",
    gramine: "never returns ",
  },
  {
    id: "B4",
    what: "a blocked pending signal hides an injected SIGTERM",
    main: [on("SIGUSR1"), block("SIGUSR1"), raise("SIGUSR1"), "pause"],
    signals: [{ signal: "SIGTERM", when: { thread: "main", call: "pause" } }],
    options: ["sigterm-injection"],
    look: (ran) => handled(ran).join(),
    linux: "SIGTERM",
    gramine: "",
    fix: "sigterm-starved-by-blocked-pending",
  },
  {
    id: "B7",
    what: "after the injected SIGTERM was taken, each call of a thread that blocks SIGTERM wakes another one",
    main: [{ clone: "worker" }, { nanosleep: "5ms" }, { nanosleep: "20ms" }],
    signals: [{ signal: "SIGTERM", when: { thread: "main", call: "nanosleep" } }],
    more: {
      programs: { worker: [block("SIGTERM"), { nanosleep: "10ms" }, { loop: { times: 5, do: ["getpid"] } }, { nanosleep: "20ms" }] },
    },
    options: ["sigterm-injection"],
    look: (ran) => (rowsOf(ran, { what: "libos.wake", who: "worker" }).length > 2 ? "wakes" : "none"),
    linux: "none",
    gramine: "wakes",
    fix: "sigterm-consumed-wake-storm",
  },
  {
    id: "B8",
    what: "the mask of a handler replaces the thread's, so what was blocked is not",
    main: [on("SIGUSR1", "sends"), on("SIGUSR2"), block("SIGUSR2"), raise("SIGUSR1")],
    more: { handlers: { sends: [raise("SIGUSR2"), "getpid"] } },
    look: (ran) => handled(ran).join(),
    linux: "SIGUSR1",
    gramine: "SIGUSR1,SIGUSR2",
    fix: "mask-replaced-not-merged",
  },
  {
    id: "B9",
    what: "wait4 gives -EINTR although its child has ended",
    main: [on("SIGCHLD"), { fork: "child" }, { wait4: {} }],
    more: { programs: { child: [{ nanosleep: "1ms" }] } },
    look: (ran) => (Number(resultOf(ran, "wait4")) > 0 ? "the pid" : resultOf(ran, "wait4")),
    linux: "the pid",
    gramine: "-EINTR",
    fix: "wait4-eintr-though-child-ended",
  },
  {
    id: "B10",
    what: "a signal that is ignored by default ends a sleep",
    main: [{ clone: "worker" }, { nanosleep: "1s" }],
    more: winch,
    look: (ran) => resultOf(ran, "nanosleep"),
    linux: "0",
    gramine: "-EINTR",
    fix: "ignored-signal-ends-sleep",
  },
  {
    id: "B11",
    what: "the same ends sigsuspend",
    main: [on("SIGUSR1"), { clone: "worker" }, { clone: "later" }, { sigsuspend: [] }],
    more: {
      programs: { ...winch.programs, later: [{ nanosleep: "1500ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] },
    },
    look: (ran) => took(ran, "sigsuspend"),
    linux: "1500 ms",
    gramine: "200 ms",
    fix: "ignored-signal-ends-sleep",
  },
  {
    id: "B11 (sigtimedwait)",
    what: "the same ends sigtimedwait",
    main: [block("SIGUSR2"), { clone: "worker" }, { sigtimedwait: { signals: ["SIGUSR2"], timeout: "1200ms" } }],
    more: winch,
    look: (ran) => resultOf(ran, "rt_sigtimedwait"),
    linux: "-EAGAIN",
    gramine: "-EINTR",
    fix: "ignored-signal-ends-sleep",
  },
  {
    id: "B12",
    what: "an oldset that can only be read is a fault of the LibOS's own",
    main: [{ sigprocmask: { how: "block", signals: ["SIGUSR1"], old: "read-only" } }],
    look: (ran) => `${resultOf(ran, "sigprocmask")}, ${storyLine(ran, "main").match(/exit \d+|killed.*$/)?.[0]}`,
    linux: "-EFAULT, exit 0",
    gramine: "never returns, exit 1",
    fix: "sigprocmask-oldset-readonly",
  },
  {
    id: "B13",
    what: "a forked child has no alternate stack",
    main: [on("SIGUSR1", "quick", { flags: ["SA_ONSTACK"] }), { sigaltstack: { bytes: 65536 } }, { fork: "child" }, { wait4: {} }],
    more: { programs: { child: [raise("SIGUSR1"), { sigaltstack: { bytes: 65536 } }] } },
    look: (ran) => String(rowsOf(ran, { what: "libos.sigframe", who: "child" })[0]?.value ?? "native"),
    linux: "native",
    gramine: "0",
    fix: "fork-drops-altstack",
    fixed: "1",
  },
  {
    id: "B14",
    what: "execve keeps the alternate stack of the program before",
    main: [{ sigaltstack: { bytes: 65536 } }, "exec", on("SIGUSR1", "quick", { flags: ["SA_ONSTACK"] }), raise("SIGUSR1")],
    look: (ran) => String(rowsOf(ran, { what: "libos.sigframe" })[0]?.value ?? "native"),
    linux: "native",
    gramine: "1",
    fix: "exec-keeps-altstack",
    fixed: "0",
  },
  ...(
    [
      ["poll", { poll: { on: ["pipe"], timeout: "500ms" } }],
      ["epoll_wait", { "epoll-wait": { on: ["pipe"], timeout: "500ms" } }],
      ["futex_wait", { "futex-wait": { on: "word", timeout: "500ms" } }],
    ] as const
  ).map(
    ([call, operation]): Difference => ({
      id: `B15 (${call})`,
      what: "ignored signals make the call start over with its whole time-out",
      main: [{ clone: "worker" }, operation],
      more: winch,
      look: (ran) => took(ran, call),
      linux: "500 ms",
      gramine: "1500 ms",
      fix: "timeout-starts-over",
    }),
  ),
  {
    id: "B16",
    what: "a FUTEX_WAIT with a time-out is made again after a handler with SA_RESTART",
    main: [on("SIGUSR1", "quick", { flags: ["SA_RESTART"] }), { clone: "worker" }, { "futex-wait": { on: "word", timeout: "600ms" } }],
    more: sends("SIGUSR1"),
    look: (ran) => `${resultOf(ran, "futex_wait")} after ${took(ran, "futex_wait")}`,
    linux: "-EINTR after 200 ms",
    gramine: "-ETIMEDOUT after 800 ms",
    fix: "futex-restart-with-timeout",
  },
  {
    id: "B17",
    what: "another thread takes the SIGPIPE of one that writes and blocks it",
    main: [on("SIGPIPE"), { clone: "writer" }, { nanosleep: "10ms" }],
    more: { programs: { writer: [block("SIGPIPE"), { nanosleep: "1ms" }, { close: "broken" }, { write: { to: "broken", bytes: 1 } }] } },
    look: (ran) => handled(ran, "main").join(),
    linux: "",
    gramine: "SIGPIPE",
    fix: "sigpipe-process-directed",
  },
  {
    id: "B18",
    what: "what is pending stays when it is ignored, and is handled once it is not",
    main: [block("SIGUSR1"), raise("SIGUSR1"), { sigaction: { signal: "SIGUSR1", handler: "ignore" } }, on("SIGUSR1"), unblock("SIGUSR1")],
    look: (ran) => handled(ran).join(),
    linux: "",
    gramine: "SIGUSR1",
    fix: "pending-kept-when-ignored",
  },
  {
    id: "B19",
    what: "a child of a parent that ignores SIGCHLD is a zombie all the same",
    main: [{ sigaction: { signal: "SIGCHLD", handler: "ignore" } }, { fork: "child" }, { wait4: {} }],
    more: { programs: { child: [{ nanosleep: "1ms" }] } },
    look: (ran) => (Number(resultOf(ran, "wait4")) > 0 ? "the pid" : resultOf(ran, "wait4")),
    linux: "-ECHILD",
    gramine: "the pid",
    fix: "zombie-when-ignored",
  },
  {
    id: "B20",
    what: "a real-time signal without a handler is ignored",
    main: [raise("SIGRT2"), "getpid"],
    look: (ran) => (count(ran, "app.return") > 2 ? "goes on" : "killed"),
    linux: "killed",
    gramine: "goes on",
    fix: "rt-default-ignored",
  },
  {
    id: "B21",
    what: "a fault whose signal is ignored repeats for ever",
    main: [{ sigaction: { signal: "SIGFPE", handler: "ignore" } }, { fault: { what: "divide" } }],
    look: endOf,
    linux: "killed",
    gramine: "endless",
    fix: "forced-signal-ignored-loop",
  },
  {
    id: "B22",
    what: "a fault whose signal is blocked reaches its handler",
    main: [on("SIGFPE", "skips"), block("SIGFPE"), { fault: { what: "divide" } }],
    more: { handlers: { skips: ["skip-fault"] } },
    look: (ran) => handled(ran).join(),
    linux: "",
    gramine: "SIGFPE",
    fix: "blocked-fault-reaches-handler",
  },
  {
    id: "B23, N12",
    what: "a signal frame that does not fit is a fault inside the host's handler: the host kills the process",
    main: [on("SIGSEGV"), { fault: { what: "memory", at: "stack-guard" } }],
    look: (ran) => `${storyLine(ran, "main")}, ${count(ran, "libos.upcall.enter")} upcalls`,
    linux: "killed by SIGSEGV, 0 upcalls",
    gramine: "killed by SIGSEGV, 1 upcalls",
  },
  {
    id: "B24",
    what: "a periodic timer that the async worker has just taken is armed again after alarm(0)",
    main: [
      on("SIGALRM"),
      { setitimer: { value: "2ms", interval: "2ms" } },
      { compute: SWEPT },
      { alarm: "0s" },
      { loop: { times: 5, do: [{ nanosleep: "3ms" }] } },
    ],
    sweep: { from: 2_001_800, to: 2_002_100, step: 50 },
    look: (ran) => (handled(ran).length > 2 ? "comes on" : "is over"),
    linux: "is over",
    gramine: "comes on",
  },
  {
    id: "B25",
    what: "getitimer tells what setitimer has set, although alarm has changed it",
    main: [{ setitimer: { value: "5s" } }, { alarm: "2s" }, "getitimer"],
    look: (ran) => storyLine(ran, "main").match(/left \d+/)?.[0] ?? "",
    linux: "left 2000",
    gramine: "left 5000",
    fix: "getitimer-stale-after-alarm",
  },
  {
    id: "B26",
    what: "the sender leaves a process's signal to itself, leaves the handler of a lower one by longjmp and ends: nobody is woken for it",
    main: [on("SIGUSR2"), on("SIGUSR1", "jumps"), { clone: "one" }, { clone: "sender" }, "pause"],
    more: {
      programs: {
        one: [{ sigsetjmp: { place: "here", do: [{ compute: "1ms" }, raise("SIGUSR2"), { compute: "1ms" }] } }],
        sender: [block("SIGUSR2"), { compute: SWEPT }, { tgkill: { thread: "one", signal: "SIGUSR1" } }],
      },
      handlers: { jumps: [{ siglongjmp: { place: "here", mask: false } }] },
      limit: { time: "200ms", transitions: 20_000 },
    },
    sweep: { from: 984_600, to: 986_000, step: 100 },
    native: { from: 998_000, to: 1_002_000, step: 500 },
    look: (ran) => {
      const sent = rowsOf(ran, { what: "app.call", who: "one" }).some(({ place }) => place.label.startsWith("kill("));
      return sent && !handled(ran).includes("SIGUSR2") ? "nobody handles it" : "handled, or not sent";
    },
    linux: "handled, or not sent",
    gramine: "nobody handles it",
  },
  {
    id: "B27",
    what: "signals to a process group reach the caller's own process alone",
    main: [on("SIGUSR1"), { fork: "child" }, { nanosleep: "5ms" }, { kill: { process: "group", signal: "SIGUSR1" } }, { nanosleep: "5ms" }],
    more: { programs: { child: [{ nanosleep: "50ms" }] } },
    look: (ran) => handled(ran, "child").join(),
    linux: "SIGUSR1",
    gramine: "",
  },
  {
    id: "B28",
    what: "a breakpoint instruction ends the process, whatever its handler is",
    main: [on("SIGTRAP"), { fault: { what: "int3" } }],
    look: (ran) => `${handled(ran).join()} ${endOf(ran)}`,
    linux: "SIGTRAP exit",
    gramine: " killed",
  },
  {
    id: "B29",
    what: "an alternate stack that is given with SS_ONSTACK is refused",
    main: [{ sigaltstack: { bytes: 65536, onstack: true } }],
    look: (ran) => resultOf(ran, "sigaltstack"),
    linux: "0",
    gramine: "-EINVAL",
    fix: "sigaltstack-ss-onstack",
  },
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
];
