/** Calls that send to, make, end and wait for threads and processes, and the helper threads. */

import type { PalCase } from "../../support/pal-calls.ts";

const H = { handlers: { h: [{ compute: "1us" }] } };
const act = (signal: string): unknown => ({ sigaction: { signal, handler: "h" } });
const ignore = (signal: string): unknown => ({ sigaction: { signal, handler: "ignore" } });
const kill = (process: string, signal = "SIGUSR1"): unknown => ({ kill: { process, signal } });
const tgkill = (thread: string): unknown => ({ tgkill: { thread, signal: "SIGUSR1" } });
const sleep = (time: string): unknown => ({ nanosleep: time });
const SLEEPER = { programs: { b: [sleep("20ms")] } };

const KILLS: readonly PalCase[] = [
  {
    call: "kill, own process, one thread",
    page: "L(tl) U*(tl) ; deliver_signal: L(cur) U(cur), handler",
    main: [act("SIGUSR1"), kill("self")],
    more: H,
  },
  {
    call: "kill, own process, another thread",
    page: "L(tl) ; per other live thread of the group: L(t) L(slab) U(slab) DkThreadResume@2 U(t) ; U*(tl) ; deliver_signal to self",
    main: [act("SIGUSR1"), { clone: "b" }, kill("self")],
    more: { ...H, ...SLEEPER },
  },
  {
    call: "kill, child process",
    differs: "the look for a port is L(ipch) U*(ipch) always, and the port to a child is there already",
    page: "L(tl) ; U*(tl) ; L(rng) U*(rng) ; [no port yet: DkStreamOpen, L(ipch) [..] DkStreamWrite@1 U*(ipch), L(rng) U*(rng)] ; DkEventClear@0 ; L(msgs) U*(msgs) ; DkStreamWrite@0 ; DkObjectsWaitAny@0 ; L(msgs) U*(msgs) ; L(tl) U*(tl)",
    main: [{ fork: "b" }, sleep("2ms"), kill("b")],
    more: { programs: { b: [ignore("SIGUSR1"), sleep("20ms")] } },
  },
  {
    call: "kill, parent process",
    differs: "the look for a port is L(ipch) U*(ipch) always, and the port to the parent is there already",
    page: "L(tl) U*(tl) ; L(tl) U*(tl) ; L(rng) U*(rng) ; [no port yet: ..] ; DkEventClear@0 ; L(msgs) U*(msgs) ; DkStreamWrite@0 ; DkObjectsWaitAny@0 ; L(msgs) U*(msgs)",
    main: [ignore("SIGUSR1"), { fork: "b" }, sleep("20ms")],
    who: "b",
    operation: 1,
    more: { programs: { b: [kill("parent")] } },
  },
  {
    call: "kill -1, one child",
    differs: "the only leader is the caller, so nobody gets the signal here; a child's record is locked and passed over",
    page: "L(ipch) U*(ipch) ; per port DkStreamWrite@0 ; L(tl) ; per leader: L(t) L(slab) U(slab) DkThreadResume U(t) ; U*(tl) ; deliver_signal",
    main: [act("SIGUSR1"), { fork: "b" }, sleep("2ms"), kill("all")],
    more: { ...H, programs: { b: [ignore("SIGUSR1"), sleep("20ms")] } },
  },
  {
    call: "tgkill, another thread",
    page: "L(tl) U*(tl) ; L(t) ; L(slab) U(slab) ; DkThreadResume@1 ; U*(t)",
    main: [act("SIGUSR1"), { clone: "b" }, tgkill("b")],
    more: { ...H, ...SLEEPER },
  },
  {
    call: "tgkill, a thread that has ended",
    page: "L(tl) U*(tl) ; L(t) ; L(slab) U(slab) ; DkThreadResume@1 ; U*(t)",
    main: [act("SIGUSR1"), { clone: "b" }, sleep("5ms"), tgkill("b")],
    more: { ...H, programs: { b: ["getpid"] } },
  },
];

const ALARM =
  "L(async) ; [old entry: L(slab) U(slab)] ; [alarm(0): L(slab) U(slab)] ; [helper not alive: L(tl) U(tl), L(slab) U(slab), DkMutexCreate, DkNotificationEventCreate, DkThreadCreate, all @1] ; U*(async) ; DkStreamWrite@0";

const TIMERS: readonly PalCase[] = [
  {
    call: "alarm, the first one",
    page: `L(slab) U*(slab) ; DkSystemTimeQuery! ; ${ALARM}`,
    main: [{ alarm: "2s" }],
  },
  { call: "alarm, another one before", page: `L(slab) U*(slab) ; DkSystemTimeQuery! ; ${ALARM}`, main: [{ alarm: "2s" }, { alarm: "3s" }] },
  { call: "alarm(0)", page: `L(slab) U*(slab) ; DkSystemTimeQuery! ; ${ALARM}`, main: [{ alarm: "2s" }, { alarm: "0s" }] },
  {
    call: "setitimer, the first one",
    page: "DkSystemTimeQuery! ; L(mst) ; all of alarm one level deeper ; U*(mst)",
    main: [{ setitimer: { value: "2s" } }],
  },
];

const WAIT_PID =
  "L(tl) U*(tl) ; loop { [not WNOHANG: DkObjectsWaitAny(exit_event)@0] ; L(t) ; alive: U*(t) [WNOHANG: return] } ; dead: [still on parent's list: L(par) U(par)] ; U*(t) ; L(tl) U*(tl) ; [last reference: L(rng) U*(rng), DkObjectClose x 3-5, 2 x (L(slab) or large free)]";
const WAIT_ANY =
  "L(cur) ; no children: U*(cur), -ECHILD ; while none has ended { U*(cur) ; DkObjectsWaitAny(child_exit_event)@0 ; L(cur) } ; [list now empty: DkEventClear@1] ; U*(cur) ; L(tl) U*(tl) ; [as for pid > 0]";

const WAITS: readonly PalCase[] = [
  {
    call: "wait4, pid > 0",
    differs: "SIGCHLD comes at the end of the wait: L(cur) U(cur) L(slab) U(slab) DkThreadYieldExecution@1",
    page: WAIT_PID,
    main: [{ fork: "b" }, { wait4: { child: "b" } }],
    more: SLEEPER,
  },
  { call: "wait4, pid > 0, WNOHANG", page: WAIT_PID, main: [{ fork: "b" }, { wait4: { child: "b", nohang: true } }], more: SLEEPER },
  {
    call: "wait4, pid -1",
    differs: "SIGCHLD comes at the end of the wait: L(cur) U(cur) L(slab) U(slab) DkThreadYieldExecution@1",
    page: WAIT_ANY,
    main: [{ fork: "b" }, "wait4"],
    more: SLEEPER,
  },
  { call: "wait4, pid -1, WNOHANG", page: WAIT_ANY, main: [{ fork: "b" }, { wait4: { nohang: true } }], more: SLEEPER },
  { call: "wait4, pid -1, no children", page: WAIT_ANY, main: ["wait4"] },
];

const MAKING: readonly PalCase[] = [
  {
    call: "clone, in the creator, one action",
    page: "L(rng) U*(rng) ; L(slab) U*(slab) ; per installed action L(slab) U*(slab) ; rings: L(vma) U*(vma) DkVirtualMemoryAlloc@0 ; DkMutexCreate@0 ; 3 x DkNotificationEventCreate@0 ; 2 x DkNotificationEventCreate@0 ; DkThreadCreate@0 ; DkEventSet@0 ; DkObjectsWaitAny@0 ; DkObjectClose@0",
    main: [act("SIGUSR1"), { clone: "b" }],
    more: { ...H, ...SLEEPER },
  },
  {
    call: "clone, in the new thread",
    differs: "L(cur) is the page's L(child)",
    page: "DkObjectsWaitAny ; DkObjectClose ; DkSegmentRegister ; preempt := 1 ; L(vma) U(vma) ; L(tl) U(tl) ; L(child) L(par) U(par) U(child) ; DkEventSet ; preempt := 0 without FLUSH ; app",
    main: [{ clone: "b" }, sleep("5ms")],
    window: { who: "b", from: "", through: "jump to the application", to: "program b" },
    more: SLEEPER,
  },
  {
    call: "fork",
    differs:
      "one L(hdl) U*(hdl) stands for those of all handles, one write for all areas of memory, and the pages' protection is not emulated; destroy_process closes the pipe of new_process->self before the pairs of L(ii) (shim_ipc.c:136-174)",
    page: "1 leaders: PID and SYSV each: L(ii) U, L(rnd) U, DkStreamOpen, L(ipch) DkMutexCreate DkStreamWrite U, L(ii) U, L(ipch) U 2 thread record, L(tl) U*(tl), L(child) L(cur) U(cur) U*(child) 3 DkProcessCreate@0 DkCreatePhysicalMemoryChannel@0 [first: L(mst) DkStreamOpen DkStreamWrite U*(mst)] 4 L(slab) U* ; L(ii) U* ; L(cp) [2 x L(ii) U(ii)] U*(cp) ; L(ii) U* ; L(rnd) U* ; DkStreamOpen ; L(vma) U* (1-2) ; DkVirtualMemoryAlloc 5 L(vma) U* ; per handle L(hdl) U* ; DkVirtualMemoryProtect pairs 6 DkStreamWrite(header)@0 DkStreamWrite x (checkpoint + each area)@0 L(vma) U* DkVirtualMemoryFree 7 DkStreamRead@0 8 L(cp) U* twice, L(rng) U*(rng) ; L(ipch) DkMutexCreate DkStreamWrite U*(ipch) ; L(slab)/L(ii) pairs 9 L(child) U*(child)",
    main: [{ fork: "b" }],
    more: SLEEPER,
  },
];

const END = "1 L(ipch) U*(ipch) ; per parent/child port DkStreamWrite@0 2 L(cur)";
const LAST =
  "3 DkEventSet@0 4 L(tl) U*(tl) 5 [async helper alive: L(async) U*(async), DkStreamWrite] ; L(ipch) U*(ipch) ; DkStreamWrite ; up to 2000 x DkThreadDelayExecution@0 6 L(ipch) per port DkStreamDelete DkObjectClose L(msgs) U(msgs) U*(ipch) ; [DkObjectClose(tty)] ; L(mst) ; DkProcessExit!";

const ENDS: readonly PalCase[] = [
  {
    call: "exit, a thread that is not the last",
    page: `${END} ; parent thread here: L(par) U(par), DkEventSet@1 ; U*(cur) 3 [clear_child_tid: [first: L(mst) DkMutexCreate U*(mst)] L(fl) U*(fl)] ; DkEventSet@0 4 L(tl) U*(tl): DkThreadExit!`,
    main: [{ clone: "b" }, sleep("5ms")],
    who: "b",
    operation: 1,
    more: { programs: { b: [{ exit: {} }] } },
  },
  {
    call: "exit, the only thread",
    differs:
      "__del_ipc_port drops two of the three references to a port before L(msgs) and the last one after U(msgs); cur_process.self, .parent and broadcast_port hold another, so no DkObjectClose (shim_ipc_helper.c:408-437)",
    page: `${END} ; step 1 again, @1 ; U*(cur) ${LAST}`,
    main: [{ exit: {} }],
  },
  {
    call: "exit_group, the async helper is alive",
    differs:
      "__del_ipc_port drops two of the three references to a port before L(msgs) and the last one after U(msgs); cur_process.self, .parent and broadcast_port hold another, so no DkObjectClose (shim_ipc_helper.c:408-437)",
    page: `L(tl) U*(tl) ; ${END} ; step 1 again, @1 ; U*(cur) ${LAST}`,
    main: [{ alarm: "2s" }, { "exit-group": {} }],
  },
  {
    call: "exit_group, another thread",
    page: `L(tl) ; per other live thread L(t) L(slab) U(slab) DkThreadResume@2 U(t) ; U*(tl) ; ${END} ; step 1 again, @1 ; U*(cur) 3 DkEventSet@0 4 L(tl) U*(tl): DkThreadExit!`,
    main: [{ clone: "b" }, sleep("1ms"), { "exit-group": {} }],
    more: SLEEPER,
  },
  {
    call: "exit, a child lives",
    page: `${END} ; step 1 again, @1 ; U*(cur) 3 DkEventSet@0 4 L(tl) U*(tl) 5 L(ipch) U*(ipch) ; DkStreamWrite ; a live child's stream: DkThreadExit!`,
    main: [{ fork: "b" }, { exit: {} }],
    more: SLEEPER,
  },
];

const TURN = { who: "ipc-helper", from: "DkObjectsWaitAny(ipc_helper_event and the ports)", to: "next message" };

const HELPERS: readonly PalCase[] = [
  {
    call: "IPC helper, a kill of its process by a child",
    page: "DkObjectsWaitAny ; port: DkStreamAttributesQuerybyHandle, DkStreamRead, callback: as kill inside the process: L(tl) L(t) L(slab) U(slab) DkThreadResume@2 U(t) U*(tl), then DkStreamWrite(answer)",
    main: [ignore("SIGUSR1"), { fork: "b" }, sleep("20ms")],
    window: { ...TURN, through: "ipc_pid_kill_callback" },
    more: { programs: { b: [kill("parent")] } },
  },
  {
    call: "IPC helper, a child has ended",
    differs: "the wait and the read come before what the page lists here",
    page: "L(child) ; L(par) ; L(slab) U(slab) ; DkThreadResume(parent) ; U(par) ; DkEventSet(child_exit_event) ; U(child) ; [handle map, exec] ; DkEventSet(exit_event)",
    main: [ignore("SIGCHLD"), { fork: "b" }, sleep("20ms")],
    window: { ...TURN, through: "ipc_thread_exit" },
    more: { programs: { b: ["getpid"] } },
  },
  {
    call: "async helper, an alarm fires",
    differs: "the list goes on under the lock after the free, so its unlock is in the next turn",
    page: "DkSystemTimeQuery! ; L(async) U(async) ; DkObjectsWaitAny ; fired: L(tl) U(tl), L(slab) U(slab), DkThreadResume, L(async) L(slab) U(slab) U(async) ; event: DkStreamRead(100), time again",
    main: [act("SIGALRM"), { alarm: "1s" }, "pause"],
    window: { who: "async-helper", from: "latest_time = DkSystemTimeQuery", through: "timeout fired", to: "goto update_list" },
    more: { ...H, limit: { time: "1001ms" } },
  },
];

export const PROCESSES: readonly PalCase[] = [...KILLS, ...TIMERS, ...WAITS, ...MAKING, ...ENDS, ...HELPERS];
