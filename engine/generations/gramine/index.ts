/** gramine-linux and gramine-sgx: the PALs under the LibOS of today (gramine-today.md), with the options of its manifest. */

import { exitCall } from "../../app/call.ts";
import { LIBC } from "../../app/flows.ts";
import { newFrame } from "../../control.ts";
import type { Flow, Program } from "../../flow.ts";
import { enter, numberOf } from "../../frames.ts";
import { restorer } from "../../host/restorer.ts";
import type { SwitchName } from "../../options.ts";
import { declareStack } from "../../stack/stack.ts";
import { SYSCALL_NAMES, type SyscallName } from "../../syscalls.ts";
import { flow } from "./flow.ts";
import { laws } from "./laws.ts";
import { layout } from "./layout.ts";
import { asyncFlows } from "./libos/async.ts";
import { cloneFlows } from "./libos/clone.ts";
import { emulateFlows } from "./libos/emulate.ts";
import { eventfdFlows } from "./libos/eventfd.ts";
import { execFlows } from "./libos/exec.ts";
import { exitFlows } from "./libos/exit.ts";
import { LIBOS, SYSCALL_FLOWS } from "./libos/flows.ts";
import { forkFlows } from "./libos/fork.ts";
import { futexFlows } from "./libos/futex.ts";
import { groupFlows } from "./libos/groups.ts";
import { handleSignalFlows } from "./libos/handle-signal.ts";
import { initFlows } from "./libos/init.ts";
import { ioFlows } from "./libos/io.ts";
import { ipcFlows } from "./libos/ipc.ts";
import { ipcKillFlows } from "./libos/ipc-kill.ts";
import { ipcWorkerFlows } from "./libos/ipc-worker.ts";
import { leaveFlows } from "./libos/leave.ts";
import { lockFlows } from "./libos/lock.ts";
import { maskFlows } from "./libos/mask.ts";
import { lacks } from "./libos/missing.ts";
import { pollFlows } from "./libos/poll.ts";
import { queueFlows } from "./libos/queue.ts";
import { sendFlows } from "./libos/send.ts";
import { signalCallFlows } from "./libos/signal-calls.ts";
import { sleepFlows } from "./libos/sleep.ts";
import { socketFlows } from "./libos/sockets.ts";
import { streamFlows } from "./libos/streams.ts";
import { upcallFlows } from "./libos/upcalls.ts";
import { waitFlows } from "./libos/wait.ts";
import { wait4Flows } from "./libos/wait4.ts";
import { gramineLinuxMechanism, gramineSgxMechanism } from "./mechanism.ts";
import { linuxPalCalls, palCalls } from "./pal/calls.ts";
import { palMain, palThreadInit, signalSetup } from "./pal/flows.ts";
import { linuxCalls } from "./pal/linux/calls.ts";
import { linuxExceptions } from "./pal/linux/exception.ts";
import { idlesOutside, rpcThreadLoop } from "./pal/sgx/exitless.ts";
import { loadEnclave } from "./pal/sgx/flows.ts";
import { SGX_FIXES, SGX_OPTIONS, sgxPal } from "./pal/sgx/parts.ts";
import { gramineLinuxShown, gramineSgxShown } from "./shown.ts";
import type { Process, SgxProcess, SgxThread, Thread } from "./state.ts";
import { gramineState } from "./threads.ts";

type Switches = ReadonlySet<SwitchName>;

interface Variant {
  /** Nothing keeps LibOS code in an enclave from writing to any of its pages. */
  readonly writesAnyPage: boolean;
}

/** The LibOS, the same for both PALs. */
const libos = (on: Switches, { writesAnyPage }: Variant): Flow[] => [
  ...lockFlows,
  ...waitFlows,
  ...maskFlows,
  ...queueFlows({
    beside: on.has("sigterm-starved-by-blocked-pending"),
    once: on.has("sigterm-consumed-wake-storm"),
    ignoredDoNot: on.has("ignored-signal-ends-sleep"),
  }),
  ...handleSignalFlows({
    merges: on.has("mask-replaced-not-merged"),
    realTime: on.has("rt-default-ignored"),
    ignoredFault: on.has("forced-signal-ignored-loop"),
    blockedFault: on.has("blocked-fault-reaches-handler"),
  }),
  ...upcallFlows({ injection: on.has("sigterm-injection") }),
  ...sendFlows,
  ...signalCallFlows({
    writesAnyPage,
    flushes: on.has("pending-kept-when-ignored"),
    asks: on.has("sigprocmask-oldset-readonly"),
    takesOnstack: on.has("sigaltstack-ss-onstack"),
  }),
  ...sleepFlows,
  ...ioFlows,
  ...futexFlows({
    goesOn: on.has("timeout-starts-over"),
    endsTimed: on.has("futex-restart-with-timeout"),
    counts: on.has("futex-wake-lost-on-timeout"),
  }),
  ...pollFlows({ goesOn: on.has("timeout-starts-over"), looks: on.has("ppoll-ignores-pending") }),
  ...socketFlows({ toThread: on.has("sigpipe-process-directed") }),
  ...eventfdFlows({
    passthrough: on.has("eventfd-passthrough"),
    interruptible: on.has("eventfd-read-uninterruptible"),
  }),
  ...streamFlows({ toThread: on.has("sigpipe-process-directed") }),
  ...cloneFlows,
  ...forkFlows,
  ...execFlows({ dropsAltstack: on.has("exec-keeps-altstack") }),
  ...wait4Flows({
    relocks: on.has("wait4-unlocks-unheld-lock"),
    looksAgain: on.has("wait4-eintr-though-child-ended"),
    reaps: on.has("zombie-when-ignored"),
  }),
  ...ipcFlows,
  ...ipcKillFlows,
  ...ipcWorkerFlows,
  ...leaveFlows,
  ...asyncFlows({ over: on.has("alarm-lost-in-worker-gap"), tellsItimer: on.has("getitimer-stale-after-alarm") }),
  ...groupFlows,
  ...exitFlows({ kicksAlways: on.has("exit-kick-lost") }),
  ...initFlows({ copiesAltstack: on.has("fork-drops-altstack") }),
];

const LIBOS_OPTIONS = ["sigterm-injection", "eventfd-passthrough"] as const;
const LIBOS_FIXES = [
  "wait4-unlocks-unheld-lock",
  "exit-kick-lost",
  "sigterm-starved-by-blocked-pending",
  "sigterm-consumed-wake-storm",
  "mask-replaced-not-merged",
  "wait4-eintr-though-child-ended",
  "ignored-signal-ends-sleep",
  "sigprocmask-oldset-readonly",
  "fork-drops-altstack",
  "exec-keeps-altstack",
  "timeout-starts-over",
  "futex-restart-with-timeout",
  "sigpipe-process-directed",
  "pending-kept-when-ignored",
  "zombie-when-ignored",
  "rt-default-ignored",
  "forced-signal-ignored-loop",
  "blocked-fault-reaches-handler",
  "getitimer-stale-after-alarm",
  "sigaltstack-ss-onstack",
  "eventfd-read-uninterruptible",
  "ppoll-ignores-pending",
  "alarm-lost-in-worker-gap",
  "futex-wake-lost-on-timeout",
] as const;

/** libc's functions: of each system call that the LibOS has a function for. */
const withCalls = (flows: Flow[]): Flow[] => {
  const there = new Set(flows.map(({ name }) => name));
  const names = SYSCALL_NAMES.filter((name: SyscallName) => there.has(SYSCALL_FLOWS[name].name));
  return [...flows, ...emulateFlows(names)];
};

const main = flow(palMain, "pal", "2", ({ act, call, callDynamic }) => [
  act(
    "the process starts",
    (c) => {
      c.value = c.process(c.t).parent;
    },
    "process.start",
  ),
  call("signal_setup()", signalSetup),
  call("libos_init()", LIBOS.libos_init),
  callDynamic("main()", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
  call("exit_group(0)", LIBC.exit_group, () => exitCall(0)),
]);

/** What both PALs have. */
const gramine = {
  state: gramineState,
  lacks,
  appMask: (t: Thread) => (t.libos.ready ? t.libos.mask : t.hostMask),
  idles: () => false,
  laws,
  layout,
};

const pending = ({ libos: { queue, forced } }: Thread): number => queue.length + (forced === null ? 0 : 1);

export const gramineLinux = declareStack<Thread, Process>({
  ...gramine,
  text: "Gramine of today on its Linux PAL: signals are taken at the end of a system call, or from the application's own code",
  explain: gramineLinuxMechanism,
  switches: [...LIBOS_OPTIONS, ...LIBOS_FIXES],
  flows: (on: Switches): Flow[] =>
    withCalls([
      main,
      restorer("pal"),
      ...linuxExceptions,
      ...palCalls("linux"),
      ...linuxPalCalls,
      ...linuxCalls,
      ...libos(on, { writesAnyPage: false }),
    ]),
  boot: palMain,
  bootThread: (program: Program, start: number) => enter(program, palThreadInit, { start }),
  enclave: false,
  columns: { cssa: null, preempt: null, pending },
  ...gramineLinuxShown,
});

export const gramineSgx = declareStack<SgxThread, SgxProcess>({
  ...gramine,
  text: "Gramine of today on its SGX PAL: signals are taken at the end of a system call or an ocall, or by the two stages of an exception",
  explain: gramineSgxMechanism,
  switches: [...LIBOS_OPTIONS, ...SGX_OPTIONS, ...LIBOS_FIXES, ...SGX_FIXES],
  flows: (on: Switches): Flow[] => withCalls([...sgxPal(on), ...libos(on, { writesAnyPage: !on.has("edmm") })]),
  boot: loadEnclave,
  bootThread: (program: Program, start: number) =>
    start === numberOf(program, rpcThreadLoop) ? newFrame(program, start, {}) : enter(program, palThreadInit, { start }),
  idles: idlesOutside,
  enclave: true,
  columns: { cssa: (t) => t.sgx.cssa, preempt: null, pending },
  ...gramineSgxShown,
});
