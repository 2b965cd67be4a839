/** graphene-linux and graphene-sgx: the PAL's flows under the same LibOS, with the fixes that were asked for. */

import { behindExec } from "../../app/behind-exec.ts";
import { exitCall } from "../../app/call.ts";
import { LIBC } from "../../app/flows.ts";
import { shimJoin } from "../../app/pthread-join.ts";
import { libosCall, undefinedCall } from "../../app/syscalls.ts";
import { vforkCalls } from "../../app/vfork.ts";
import { goTo, newFrame, resumeAt } from "../../control.ts";
import { type Cpu, push, topFrame } from "../../cpu.ts";
import { type Flow, flow, type Program } from "../../flow.ts";
import { enter } from "../../frames.ts";
import { callArgs } from "../../host/calls.ts";
import { restorer } from "../../host/restorer.ts";
import { abortFlows } from "../../libos/abort.ts";
import { alarmFlows } from "../../libos/alarm.ts";
import { appendFlows } from "../../libos/append.ts";
import { cloneFlows } from "../../libos/clone.ts";
import { deliverFlows } from "../../libos/deliver.ts";
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
import { upcallFlows } from "../../libos/upcalls.ts";
import { vforkFlows } from "../../libos/vfork.ts";
import { wait4Flows } from "../../libos/wait4.ts";
import type { SwitchName } from "../../options.ts";
import { palCalls } from "../../pal/calls.ts";
import { palMain } from "../../pal/flows.ts";
import { getHandler } from "../../pal/handler-table.ts";
import { signalSetup } from "../../pal/linux/flows.ts";
import { linuxHandlers } from "../../pal/linux/handlers.ts";
import { entryFlows } from "../../pal/sgx/entry.ts";
import { exceptionFlows } from "../../pal/sgx/exception.ts";
import { loadEnclave, threadStart } from "../../pal/sgx/flows.ts";
import { untrustedFlows } from "../../pal/sgx/untrusted.ts";
import { declareStack } from "../../stack/stack.ts";
import type { Frame } from "../../state.ts";
import { SYSCALL_NAMES } from "../../syscalls.ts";
import { laws } from "./laws.ts";
import { layout } from "./layout.ts";
import { grapheneLinuxMechanism, grapheneSgxMechanism } from "./mechanism.ts";
import { grapheneLinuxShown, grapheneSgxShown } from "./shown.ts";
import type { Process, SgxThread, Thread } from "./state.ts";
import { grapheneState } from "./threads.ts";

type Fixes = ReadonlySet<SwitchName>;

/** Of the LibOS. */
const SWITCHES = [
  "spurious-yield-per-pending",
  "async-list-redundant-cancel",
  "suspend-on-signal-dead-flag",
  "signal-delayed-breaks-preempt-assert",
  "sigsuspend-ignores-pending",
  "sigsuspend-sleeps-with-thread-lock",
] as const satisfies readonly SwitchName[];

/** The LibOS, the same for all PALs. */
const libos = (fixes: Fixes, debug: boolean): Flow[] => [
  ...abortFlows,
  ...processFlows,
  ...lockFlows,
  ...deliverFlows({
    yieldAfterSignal: fixes.has("spurious-yield-per-pending"),
    delayedBit: fixes.has("signal-delayed-breaks-preempt-assert"),
  }),
  ...upcallFlows({ delayedBit: fixes.has("signal-delayed-breaks-preempt-assert") }),
  ...threadRecordFlows,
  ...cloneFlows,
  ...forkFlows,
  ...namespaceFlows,
  ...wait4Flows,
  ...exitFlows,
  ...ipcFlows,
  ...appendFlows,
  ...killFlows,
  ...alarmFlows({ asyncList: fixes.has("async-list-redundant-cancel") }),
  ...signalCallFlows({
    looks: fixes.has("sigsuspend-ignores-pending"),
    unlocks: fixes.has("sigsuspend-sleeps-with-thread-lock"),
    deadFlag: fixes.has("suspend-on-signal-dead-flag"),
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
  ...vforkCalls,
  ...SYSCALL_NAMES.flatMap((name) => libosCall(name, debug)).filter(({ name }) => name !== "libc vfork"),
  shimJoin,
  behindExec,
];

/** From its start; one that an execve made a new process for goes on behind it, as if that call returned. */
function enterProgram(c: Cpu): Frame | null {
  const flow = c.flowOf(c.t.program);
  if (c.t.startPc === 0) return newFrame(c.program, flow, {});
  push(c.t, newFrame(c.program, flow, {}));
  resumeAt(topFrame(c.t), c.t.startPc);
  push(c.t, enter(c.program, LIBC.execve, { ...callArgs(), loader: false }));
  goTo(c.program, topFrame(c.t), "back");
  c.t.rax = 0;
  return null;
}

/** Start of the PAL proper: in the enclave under SGX. */
const mainOf = (pal: "linux" | "sgx"): Flow =>
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

const preempt = (t: Thread): number => t.libos.preempt;
const pending = ({ libos, pal }: Thread): number => libos.hasSignal + pal.queue.length + (pal.pendingEvent === 0 ? 0 : 1);

/** What both PALs have. */
const graphene = {
  state: grapheneState,
  lacks: missingCall,
  appMask: (t: Thread) => (t.libos.ready ? t.libos.mask : t.hostMask),
  idles: (p: Process) => p.libos.asyncList.length === 0,
  laws,
  layout,
};

export const grapheneLinux = declareStack<Thread, Process>({
  ...graphene,
  text: "Graphene on the Linux PAL: signals in a PAL call are kept until its end",
  explain: grapheneLinuxMechanism,
  switches: SWITCHES,
  flows: (fixes: Fixes, debug = false): Flow[] => [
    mainOf("linux"),
    restorer("pal"),
    getHandler,
    ...linuxHandlers,
    ...palCalls("linux"),
    ...libos(fixes, debug),
  ],
  boot: palMain,
  bootThread: (program: Program, start: number) => newFrame(program, start, {}),
  enclave: false,
  columns: { cssa: null, preempt, pending },
  ...grapheneLinuxShown,
});

export const grapheneSgx = declareStack<SgxThread, Process>({
  ...graphene,
  text: "Graphene on the Linux-SGX PAL: signals enter the enclave by an exception or a return from an ocall",
  explain: grapheneSgxMechanism,
  switches: ["sgx-interrupted-code-lost", ...SWITCHES],
  flows: (fixes: Fixes, debug = false): Flow[] => [
    mainOf("sgx"),
    restorer("untrusted-pal"),
    getHandler,
    ...untrustedFlows,
    ...entryFlows,
    ...exceptionFlows({ interruptedCode: fixes.has("sgx-interrupted-code-lost") }),
    ...palCalls("sgx"),
    ...libos(fixes, debug),
  ],
  boot: loadEnclave,
  bootThread: (program: Program, start: number) => enter(program, threadStart, { start }),
  enclave: true,
  columns: { cssa: (t) => t.sgx.cssa, preempt, pending },
  ...grapheneSgxShown,
});
