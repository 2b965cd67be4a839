/** Untrusted PAL of SGX: where EEXIT of an ocall leads, and the functions of the ocalls (gramine-today.md 4.2; host_entry.S, host_syscall.c, host_ocalls.c). */

import { newFrame } from "../../../../control.ts";
import { E } from "../../../../errno.ts";
import type { Flow, Step } from "../../../../flow.ts";
import { recheck } from "../../../../host/pending.ts";
import { setMask } from "../../../../host/signal-calls.ts";
import { eenter } from "../../../../sgx/leaf.ts";
import { subtract, union } from "../../../../signals.ts";
import { copyOf, extended, type Locals } from "../../../../state.ts";
import { KIND } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { NO_EVENT } from "../errors.ts";
import { ASYNC_SIGNALS } from "../host-handlers.ts";
import {
  type Asked,
  doHostOcall,
  doSyscallIntr,
  HOST_OCALLS,
  OCALL_NAMES,
  type OcallKind,
  type OcallKinds,
  type OcallName,
} from "./flows.ts";
import { hostTcb } from "./host-tcb.ts";

/** Places of do_syscall_intr that the handler of asynchronous signals knows. */
export const AFTER_CHECK1 = "do_syscall_intr_after_check1";
export const AFTER_CHECK2 = "do_syscall_intr_after_check2";
export const EINTR_EXIT = "do_syscall_intr_eintr";

const askedFor = (s: Steps<Asked>, label: string): Step => s.callDynamic(label, (c, v) => newFrame(c.program, v.asked, v.args as Locals));

/**
 * An event that is there already, or comes before the `syscall` instruction, is EINTR without a system call. The word is not taken: every
 * further call of the same ocall ends the same way.
 */
const syscallIntr = flow<Asked & { found: boolean }>(doSyscallIntr, "untrusted-pal", "4.2 step 4", (s) => [
  s.own({ found: false }),
  s.act("registers of the system call"),
  s.act("compare last_async_event with 0", (c, v) => {
    const event = hostTcb(c)?.lastAsyncEvent ?? NO_EVENT;
    v.found = event !== NO_EVENT;
    c.value = event;
  }),
  s.at(AFTER_CHECK1),
  s.test("jne do_syscall_intr_eintr", (_, v) => v.found, EINTR_EXIT),
  s.at(AFTER_CHECK2),
  s.callDynamic("syscall", (c, v) => newFrame(c.program, v.asked, v.args as Locals)),
  s.ret("ret", (c) => {
    c.value = c.t.rax;
  }),
  s.at(EINTR_EXIT),
  s.act("RAX := -EINTR", (c) => {
    c.t.rax = E.INTR;
  }),
  s.ret("ret", (c) => {
    c.value = c.t.rax;
  }),
]);

/** Every return takes the event, whether or not the ocall could be interrupted. One that comes after it, and before EENTER, waits
 * for the next return (host_entry.S:190-197); with AEX-Notify for the next exit. */
const hostOcall = flow(doHostOcall, "untrusted-pal", "4.2 steps 4, 5", (s) => [
  s.act("count the EEXIT; RBX := ocall_table[code]"),
  s.callDynamic("call the ocall's function", (c, v) => newFrame(c.program, v.code, { asked: v.asked, args: v.args })),
  s.act("RDI := result", (c) => {
    c.t.rdi = c.t.rax;
    c.value = c.t.rdi;
  }),
  s.act("RSI := last_async_event exchanged with NO_EVENT", takeEvent, ["step", "pal.event.deliver"]),
  s.act("count the EENTER; RBX := TCS, RCX := async_exit_pointer"),
  s.act(
    "EENTER",
    (c) => {
      eenter(c, c.t, { start: -1, event: 0 });
    },
    "sgx.eenter",
  ),
]);

function takeEvent(c: Cpu): void {
  const tcb = hostTcb(c);
  c.t.rsi = tcb?.lastAsyncEvent ?? NO_EVENT;
  c.t.eventSignalId = tcb?.lastAsyncId ?? 0;
  if (tcb && c.t.rsi !== NO_EVENT) {
    c.row(KIND["pal.event.deliver"], c.t.rsi, c.t.eventSignalId);
    tcb.lastAsyncEvent = NO_EVENT;
    tcb.lastAsyncId = 0;
  }
}

const result = (s: Steps<Asked>, drops = false): Step =>
  s.ret(drops ? "return 0" : "return", (c) => {
    if (drops) c.t.rax = 0;
    c.value = c.t.rax;
  });

const plain = (name: OcallName, { interruptible, drops }: OcallKind): Flow =>
  flow(HOST_OCALLS[name], "untrusted-pal", "4.2 step 4", (s) => [
    s.act("take the arguments"),
    interruptible
      ? s.call(`DO_SYSCALL_INTERRUPTIBLE(${name})`, doSyscallIntr, (_, v) => ({ asked: v.asked, args: v.args }))
      : askedFor(s, `DO_SYSCALL(${name})`),
    result(s, drops),
  ]);

/** get_tid_from_tcs: whoever is mapped to the TCS by now, which may be another thread than the handle's (4.5). */
function threadOfHandle(c: Cpu, handle: number): number {
  const { handles, tcsMap } = c.process(c.t).pal.sgx;
  return tcsMap[handles[handle] ?? -1] ?? -1;
}

const resumeThread = flow<Asked & { target: number }>(HOST_OCALLS.resume_thread, "untrusted-pal", "3 LW, 4.5", (s) => [
  s.own({ target: -1 }),
  s.act("get_tid_from_tcs(tcs)", (c, v) => {
    const [handle] = v.args.targets as readonly number[];
    v.target = threadOfHandle(c, handle ?? -1);
    c.value = v.target;
  }),
  s.test("nobody has it: -EINVAL", (_, v) => v.target < 0, "none"),
  s.callDynamic("DO_SYSCALL(tgkill)", (c, v) => newFrame(c.program, v.asked, extended(copyOf(v.args), { targets: [v.target] }) as Locals)),
  result(s),
  s.at("none"),
  s.ret("return -EINVAL", (c) => {
    c.t.rax = E.INVAL;
    c.value = E.INVAL;
  }),
]);

/** block_async_signals. */
export const blockAsync = <V extends object>(s: Steps<V>, block: boolean): Step =>
  s.act(
    `block_async_signals(${block}): SIGTERM, SIGCONT`,
    (c) => {
      const { hostMask } = c.t;
      setMask(c, c.t, block ? union(hostMask, ASYNC_SIGNALS) : subtract(hostMask, ASYNC_SIGNALS));
      recheck(c, c.t);
    },
    "host.sigprocmask",
  );

/** The child has the signals blocked until its own sgx_signal_setup lets them through (corrections 2.M1). */
const createProcess = flow<Asked & { child: number }>(HOST_OCALLS.create_process, "untrusted-pal", "2.M1, 7.5", (s) => [
  s.own({ child: 0 }),
  s.act("sgx_create_process: arguments of the child"),
  blockAsync(s, true),
  askedFor(s, "vfork_exec(argv)"),
  s.act("the child", (c, v) => {
    v.child = c.t.rax;
    c.value = v.child;
  }),
  blockAsync(s, false),
  s.ret("return", (c, v) => {
    c.t.rax = v.child;
    c.value = v.child;
  }),
]);

const SPECIAL: readonly OcallName[] = ["resume_thread", "clone_thread", "create_process"];

export const hostOcalls = (kinds: OcallKinds): Flow[] => [
  hostOcall,
  syscallIntr,
  resumeThread,
  createProcess,
  ...OCALL_NAMES.filter((name) => !SPECIAL.includes(name)).map((name) => plain(name, kinds[name])),
];
