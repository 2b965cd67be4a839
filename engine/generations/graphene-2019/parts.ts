/** What the stacks of this generation share, and those of generations near it with them. */

import { behindExec } from "../../app/behind-exec.ts";
import { exitCall } from "../../app/call.ts";
import { type Entry, LIBC } from "../../app/flows.ts";
import { shimJoin } from "../../app/pthread-join.ts";
import { libosCall, undefinedCall } from "../../app/syscalls.ts";
import { vforkCalls } from "../../app/vfork.ts";
import { goTo, newFrame, resumeAt } from "../../control.ts";
import { type Cpu, push, topFrame } from "../../cpu.ts";
import { type Flow, flow } from "../../flow.ts";
import { enter } from "../../frames.ts";
import { callArgs } from "../../host/calls.ts";
import { restorer } from "../../host/restorer.ts";
import { abortFlows } from "../../libos/abort.ts";
import { alarmFlows } from "../../libos/alarm.ts";
import { appendFlows } from "../../libos/append.ts";
import { cloneFlows } from "../../libos/clone.ts";
import { execFlows } from "../../libos/exec.ts";
import { exitFlows } from "../../libos/exit.ts";
import { LIBOS } from "../../libos/flows.ts";
import { forkFlows } from "../../libos/fork.ts";
import { futexFlows } from "../../libos/futex.ts";
import { groupFlows } from "../../libos/groups.ts";
import { ioFlows } from "../../libos/io.ts";
import { ipcFlows } from "../../libos/ipc.ts";
import { itimerFlows } from "../../libos/itimer.ts";
import { killFlows } from "../../libos/kill.ts";
import { lockFlows } from "../../libos/lock.ts";
import { messageFlows } from "../../libos/messages.ts";
import { namespaceFlows } from "../../libos/namespaces.ts";
import { pollFlows } from "../../libos/poll.ts";
import { processFlows } from "../../libos/process.ts";
import { signalCallFlows } from "../../libos/signal-calls.ts";
import { sockoptFlows } from "../../libos/sockopt.ts";
import { streamFlows } from "../../libos/streams.ts";
import { threadRecordFlows } from "../../libos/thread-record.ts";
import { missingCall, unimplementedFlows } from "../../libos/unimplemented.ts";
import { vforkFlows } from "../../libos/vfork.ts";
import { wait4Flows } from "../../libos/wait4.ts";
import type { SwitchName } from "../../options.ts";
import { palCalls } from "../../pal/calls.ts";
import { palMain } from "../../pal/flows.ts";
import { getHandler } from "../../pal/handler-table.ts";
import { signalSetup } from "../../pal/linux/flows.ts";
import { linuxHandlers } from "../../pal/linux/handlers.ts";
import { extended, type Frame } from "../../state.ts";
import { SYSCALL_NAMES } from "../../syscalls.ts";
import { laws } from "./laws.ts";
import { layout } from "./layout.ts";
import type { Process, Thread } from "./state.ts";
import { grapheneState } from "./threads.ts";

export type Fixes = ReadonlySet<SwitchName>;

/** Of the LibOS. */
export const SWITCHES = [
  "spurious-yield-per-pending",
  "async-list-redundant-cancel",
  "suspend-on-signal-dead-flag",
  "signal-delayed-breaks-preempt-assert",
  "sigsuspend-ignores-pending",
  "sigsuspend-sleeps-with-thread-lock",
  "wakeup-lost-before-block",
  "pause-never-returns",
] as const satisfies readonly SwitchName[];

/** The LibOS without its delivery of signals and its shims, which generations near this one have in other ways. */
export const libosParts = (fixes: Fixes, entry: Entry): Flow[] => [
  ...abortFlows,
  ...processFlows,
  ...lockFlows,
  ...threadRecordFlows,
  ...cloneFlows("assertion"),
  ...forkFlows,
  ...namespaceFlows,
  ...wait4Flows,
  ...exitFlows,
  ...ipcFlows,
  ...appendFlows({ wakes: fixes.has("wakeup-lost-before-block") }),
  ...killFlows,
  ...alarmFlows({ asyncList: fixes.has("async-list-redundant-cancel") }),
  ...signalCallFlows({
    looks: fixes.has("sigsuspend-ignores-pending"),
    unlocks: fixes.has("sigsuspend-sleeps-with-thread-lock"),
    deadFlag: fixes.has("suspend-on-signal-dead-flag"),
    pauses: fixes.has("pause-never-returns"),
    keepsKill: true,
  }),
  ...ioFlows,
  ...streamFlows,
  ...pollFlows,
  ...futexFlows,
  ...unimplementedFlows,
  undefinedCall,
  ...groupFlows,
  ...sockoptFlows,
  ...itimerFlows,
  ...messageFlows,
  ...vforkFlows,
  ...execFlows,
  ...vforkCalls(entry),
  ...SYSCALL_NAMES.filter((name) => name !== "vfork").map((name) => libosCall(name, entry)),
  shimJoin(entry),
  behindExec,
];

/** From its start; one that an execve made a new process for goes on behind it, as if that call returned. */
function enterProgram(c: Cpu): Frame | null {
  const flow = c.flowOf(c.t.program);
  if (c.t.startPc === 0) return newFrame(c.program, flow, {});
  push(c.t, newFrame(c.program, flow, {}));
  resumeAt(topFrame(c.t), c.t.startPc);
  push(c.t, enter(c.program, LIBC.execve, extended(callArgs(), { loader: false })));
  goTo(c.program, topFrame(c.t), "back");
  c.t.rax = 0;
  return null;
}

/** Start of the PAL proper: in the enclave under SGX. */
export const mainOf = (pal: "linux" | "sgx"): Flow =>
  flow(palMain, "pal", "2.1, 2.7", ({ act, call, callDynamic }) => [
    act(
      "the process starts",
      (c) => {
        c.value = c.process(c.t).parent;
      },
      "process.start",
    ),
    pal === "linux" ? call("signal_setup()", signalSetup) : null,
    call("shim_init()", LIBOS.shim_init),
    callDynamic("main()", enterProgram),
    call("exit_group(0)", LIBC.exit_group, () => exitCall(0)),
  ]);

/** The Linux PAL. `onStack`: its host handlers run on a stack of their own. */
export const linuxPal = (onStack = false): Flow[] => [
  mainOf("linux"),
  restorer("pal"),
  getHandler,
  ...linuxHandlers(onStack),
  ...palCalls("linux"),
];

export const preempt = (t: Thread): number => t.libos.preempt;
export const pending = ({ libos, pal }: Thread): number => libos.hasSignal + pal.queue.length + (pal.pendingEvent === 0 ? 0 : 1);

/** Of flows with one name the first: those of a generation near this one come before what they stand in the place of. */
export const firstOfName = (flows: readonly Flow[]): Flow[] => [...new Map(flows.toReversed().map((flow) => [flow.name, flow])).values()];

/** What a stack declares beside its flows. */
export const graphene = {
  state: grapheneState,
  lacks: missingCall,
  appMask: (t: Thread) => (t.libos.ready ? t.libos.mask : t.hostMask),
  idles: (p: Process) => p.libos.asyncList.length === 0,
  laws,
  layout,
};
