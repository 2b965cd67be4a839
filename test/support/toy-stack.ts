/**
 * A small stack of the tests' own, shaped like the page's SGX case: an enclave, a read that waits outside of it, a signal that comes
 * back with the ocall, an upcall, a handler, and the PAL call that is left as if it had returned 0. Tests of screens and keys run on it:
 * its rows change when somebody changes them here, not when the emulation of Graphene gets a step more. It takes from the engine what
 * is no flow: signal frames, the SGX leaves, sleeping.
 */

import { newFrame } from "../../engine/control.ts";
import { cut, type Cpu as MachineCpu, push } from "../../engine/cpu.ts";
import { flowFor } from "../../engine/flow.ts";
import { findDown, enter as frameOf, numberOf } from "../../engine/frames.ts";
import { endProcess } from "../../engine/host/process-state.ts";
import { restorer } from "../../engine/host/restorer.ts";
import { block } from "../../engine/host/sleep.ts";
import { addStack, E, EVENT, eventName, type Flow, NEVER, type Process, type StackName, type Thread } from "../../engine/index.ts";
import { ref } from "../../engine/ref.ts";
import { record } from "../../engine/search/layout.ts";
import { aep, type Entry, enclaveEntry } from "../../engine/sgx/flows.ts";
import { eenter, eexit, eresume } from "../../engine/sgx/leaf.ts";
import { SIG } from "../../engine/signals.ts";
import { HOST_HOPS } from "../../engine/stack/shown.ts";
import { declareStack, NOTHING_KEPT } from "../../engine/stack/stack.ts";
import {
  enclaveLine,
  handlerLine,
  hostMaskLine,
  hostPendingLine,
  resultLine,
  ssaLines,
  stackLines,
  stateLine,
  threadLine,
} from "../../engine/stack/state-lines.ts";
import { ENCLAVE, HOST, type SgxState } from "../../engine/state.ts";
import { endThread } from "../../engine/threads.ts";
import { WHY } from "../../engine/transition.ts";

const SOURCE = "toy 1";
const start = ref("toy_start");
/** The toy's flows. */
const TOY_FLOWS = {
  program: ref("program"),
  handler: ref<Signalled & { left: number }>("on-sigint"),
  "libc sigaction": ref("libc sigaction"),
  "libc read": ref("libc read"),
  shim_sigaction: ref("shim_sigaction"),
  shim_read: ref("shim_read"),
  lock: ref("lock"),
  unlock: ref("unlock"),
  suspend_upcall: ref<Signalled>("suspend_upcall"),
  DkStreamRead: ref("DkStreamRead"),
  sgx_ocall: ref("sgx_ocall"),
  handleExternalEvent: ref("_DkHandleExternalEvent"),
  raiseFailure: ref("_DkRaiseFailure"),
  toy_ocall_read: ref("toy_ocall_read"),
  sighandler: ref<Signalled>("toy_sighandler"),
  sys_read: ref("sys_read"),
};

/** Its entry code looks at neither. */
const ENTRY: Entry = { start: -1, event: 0 };
const { SUSPEND } = EVENT;
/** PAL_ERROR_INTERRUPTED. */
const INTERRUPTED = 13;

/** What this stack keeps of a thread. */
interface ToyThread extends Thread {
  sgx: SgxState;
  pal: { pendingEvent: number; pendingId: number };
  libos: { ready: boolean; palErrno: number; preempt: number; hasSignal: number };
}

type Cpu = MachineCpu<ToyThread>;
const flow = flowFor<Cpu>();

interface Signalled {
  readonly signal: number;
  readonly id: number;
}

/** The signal of this row, and the id that follows it through the layers. */
const carry = (c: Cpu, { signal, id }: Signalled, value: number = SUSPEND): void => {
  c.signal = signal;
  c.value = value;
  c.extra = id;
};

const result = (c: Cpu): void => {
  c.value = c.t.rax;
};

/** The number of an operation in its program. */
const numbered = (number: number) => (c: Cpu) => {
  c.value = number;
  return {};
};

const untrusted: readonly Flow[] = [
  flow(start, "untrusted-pal", SOURCE, ({ act }) => [
    act("build the enclave", (c) => (c.value = c.process(c.t).parent), "process.start"),
    act("map a TCS", (c) => (c.t.sgx.mapped = true)),
    act("EENTER: start the enclave", (c) => eenter(c, c.t, ENTRY), "sgx.eenter"),
    act("the enclave is left for good"),
  ]),
  flow(TOY_FLOWS.toy_ocall_read, "untrusted-pal", SOURCE, ({ act, call }) => [
    call("INLINE_SYSCALL(read)", TOY_FLOWS.sys_read),
    act("EENTER: back with the result", (c) => eenter(c, c.t, ENTRY), "sgx.eenter"),
  ]),
  flow(TOY_FLOWS.sighandler, "untrusted-pal", SOURCE, ({ act, test, at, ret }) => [
    test("RIP inside the enclave?", (c) => c.t.sgx.cssa > 0, "inside"),
    act(
      "update normal-context registers = (RDI = -PAL_ERROR_INTERRUPTED, RSI = event)",
      (c, v) => {
        carry(c, v);
        // RSI comes back from the frame that the restorer takes away.
        const frame = c.t.host.at(-2);
        if (frame) frame.v.rsi = v.signal;
        c.t.pal.pendingEvent = SUSPEND;
        c.t.pal.pendingId = v.id;
      },
      "pal.event.inject",
    ),
    ret(),
    at("inside"),
    act("the event is dropped", (c, v) => carry(c, v), "pal.event.lost"),
    ret(),
  ]),
  flow(aep, "untrusted-pal", SOURCE, ({ act }) => [act("ERESUME", (c) => eresume(c, c.t), "sgx.eresume")]),
  restorer("untrusted-pal"),
];

const host: readonly Flow[] = [
  flow(
    TOY_FLOWS.sys_read,
    "host",
    SOURCE,
    ({ act, ret }) => [
      act("read: enter the kernel", undefined, "host.syscall.enter"),
      act("read: wait", (c) => block(c, { objects: [c.object("pipe")], deadline: NEVER, interruptible: true, child: -2 }), "thread.block"),
      act("read: the wait is over", (c) => (c.value = c.t.cause), "thread.wake"),
      ret(
        "read: return from the kernel",
        (c) => {
          c.t.rax = E.INTR;
          result(c);
        },
        "host.syscall.exit",
      ),
    ],
    { kernel: true },
  ),
];

/** Where RSP goes when the enclave is entered: to the program first, then back to the ocall. */
function enter(c: Cpu): void {
  const { t } = c;
  const first = !t.sgx.exitTarget;
  cut(c, t, HOST, first ? t.host.length - 1 : t.sgx.ustackTop);
  t.stack = ENCLAVE;
  if (!first) return;
  t.sgx.exitTarget = true;
  t.sgx.ustackTop = t.host.length;
  t.libos.ready = true;
  push(t, frameOf(c.program, TOY_FLOWS.program, {}));
}

/** The PAL call is left as if it had returned 0: what is above the LibOS call is cut off. */
function abandon(c: Cpu): void {
  carry(c, { signal: c.t.rsi, id: c.t.pal.pendingId }, c.t.libos.palErrno);
  c.t.pal.pendingId = 0;
  cut(c, c.t, ENCLAVE, findDown(c, c.t.enclave, TOY_FLOWS.shim_read) + 1);
  c.t.rax = 0;
}

const pal = (keepsCode: boolean): Flow[] => [
  flow(enclaveEntry, "pal", SOURCE, ({ act }) => [act("RSP = stack of the enclave", enter)]),
  flow(TOY_FLOWS.DkStreamRead, "pal", SOURCE, ({ act, call, ret }) => [
    act("ENTER_PAL_CALL", (c) => (c.value = c.t.libos.palErrno), "pal.call.enter"),
    call("sgx_ocall(OCALL_READ)", TOY_FLOWS.sgx_ocall, undefined, "ocall.enter"),
    ret("LEAVE_PAL_CALL", result, "pal.call.leave"),
  ]),
  flow(TOY_FLOWS.sgx_ocall, "pal", SOURCE, ({ act, test, call, at, ret }) => [
    act(
      "EEXIT",
      (c) => {
        eexit(c.t);
        c.t.stack = HOST;
        push(c.t, frameOf(c.program, TOY_FLOWS.toy_ocall_read, {}));
      },
      "sgx.eexit",
    ),
    test("no event came with it?", (c) => c.t.pal.pendingEvent === 0, "done"),
    call("_DkHandleExternalEvent(event)", TOY_FLOWS.handleExternalEvent),
    at("done"),
    ret("return the ocall's result", result, "ocall.return"),
  ]),
  flow(TOY_FLOWS.handleExternalEvent, "pal", SOURCE, ({ act, call }) => [
    act("find the PAL call"),
    keepsCode ? call("keep the code", TOY_FLOWS.raiseFailure) : null,
    call("upcall", TOY_FLOWS.suspend_upcall, (c) => ({ signal: c.t.rsi, id: c.t.pal.pendingId })),
    act("which way back?", (c) => carry(c, { signal: 0, id: c.t.pal.pendingId }, 2), "pal.exception.return"),
    act("RAX = 0; the PAL call is left as if it had returned", abandon, "pal.call.abandon"),
  ]),
  ...(keepsCode
    ? [
        flow(TOY_FLOWS.raiseFailure, "pal", SOURCE, ({ act, ret }) => [
          act("pal_errno := PAL_ERROR_INTERRUPTED", (c) => (c.t.libos.palErrno = INTERRUPTED)),
          ret(),
        ]),
      ]
    : []),
];

const libos: readonly Flow[] = [
  flow(TOY_FLOWS.shim_sigaction, "libos", SOURCE, ({ act, ret }) => [
    act("remember the handler", (c) => {
      const action = { flow: numberOf(c.program, TOY_FLOWS.sighandler), flags: 0 };
      for (const signal of [SIG.INT, SIG.TERM]) c.process(c.t).hostActions[signal] = { ...action, mask: [0, 0] };
    }),
    ret("return", result, "libos.syscall.exit"),
  ]),
  flow(TOY_FLOWS.lock, "libos", SOURCE, ({ act, test, at, ret }) => [
    test("is it free?", () => true, "free"),
    act("wait for it"),
    at("free"),
    act("take it", undefined, "lock"),
    ret(),
  ]),
  flow(TOY_FLOWS.unlock, "libos", SOURCE, ({ act, ret }) => [act("release it", undefined, "unlock"), act("wake who waits for it"), ret()]),
  flow(TOY_FLOWS.shim_read, "libos", SOURCE, ({ act, call, ret }) => [
    call("lock(handle)", TOY_FLOWS.lock),
    act("which file is it?"),
    call("unlock(handle)", TOY_FLOWS.unlock),
    call("DkStreamRead()", TOY_FLOWS.DkStreamRead),
    ret(
      "ret = bytes ? bytes : -PAL_ERRNO",
      (c) => {
        c.t.rax = c.t.libos.palErrno === 0 ? 0 : E.INTR;
        c.extra = c.t.libos.palErrno;
        result(c);
      },
      "libos.syscall.exit",
    ),
  ]),
  flow(TOY_FLOWS.suspend_upcall, "libos", SOURCE, ({ act, test, call, at, ret }) => [
    act(
      "the LibOS is told of the event",
      (c, v) => {
        c.t.pal.pendingEvent = 0;
        carry(c, v);
      },
      "libos.upcall.enter",
    ),
    call("lock(cur.lock)", TOY_FLOWS.lock),
    act(
      "deliver_signal(signal): append it",
      (c, v) => {
        c.t.libos.hasSignal += 1;
        carry(c, v, c.t.id);
      },
      "libos.signal.append",
    ),
    call("unlock(cur.lock)", TOY_FLOWS.unlock),
    test("is none pending?", (c) => c.t.libos.hasSignal === 0, "none"),
    act(
      "take the next pending one",
      (c, v) => {
        c.t.libos.hasSignal -= 1;
        carry(c, v, c.t.libos.hasSignal);
      },
      "libos.signal.fetch",
    ),
    call("user signal handler", TOY_FLOWS.handler, (_, v) => ({ signal: v.signal, id: v.id, left: 0 })),
    at("none"),
    ret("the upcall is over", carry, "libos.upcall.return"),
  ]),
];

const app: readonly Flow[] = [
  flow(TOY_FLOWS.program, "app", "", ({ act, call }) => [
    call("sigaction(SIGINT, on-sigint)", TOY_FLOWS["libc sigaction"], numbered(1), "app.call"),
    act("compute", (c) => (c.value = c.ns = 2000), "app.compute"),
    call("read(pipe, 64)", TOY_FLOWS["libc read"], numbered(2), "app.call"),
    act("exit_group(0)", (c) => endProcess(c, c.process(c.t), { status: 0, why: WHY.EXIT, signal: 0 }, c.t)),
    act("the thread is gone", (c) => endThread(c, c.t), "thread.exit"),
  ]),
  ...(["sigaction", "read"] as const).map((name) =>
    flow(TOY_FLOWS[`libc ${name}`], "app", SOURCE, ({ call, ret }) => [
      call(`shim_${name}()`, TOY_FLOWS[`shim_${name}`], undefined, "libos.syscall.enter"),
      ret("back in the application", result, "app.return"),
    ]),
  ),
  flow(TOY_FLOWS.handler, "app", "", ({ act, ret }) => [
    act(
      "on-sigint()",
      (c, v) => {
        c.t.app.inHandler += 1;
        carry(c, v, 0);
      },
      "app.handler.enter",
    ),
    act("compute", (c) => (c.value = c.ns = 1000), "app.compute"),
    ret(
      "handler returns",
      (c, v) => {
        c.t.app.inHandler -= 1;
        carry(c, v, 0);
      },
      "app.handler.return",
    ),
  ]),
];

export const TOY: StackName = addStack(
  "toy-sgx",
  declareStack<ToyThread, Process>({
    ...NOTHING_KEPT,
    text: "a stack of the tests: the page's SGX case in small",
    flows: (fixes) => [...untrusted, ...host, ...pal(fixes.has("sgx-interrupted-code-lost")), ...libos, ...app],
    boot: start,
    bootThread: (program, flow) => newFrame(program, flow, {}),
    enclave: true,
    columns: {
      cssa: (t) => t.sgx.cssa,
      preempt: (t) => t.libos.preempt,
      pending: (t) => t.libos.hasSignal + (t.pal.pendingEvent === 0 ? 0 : 1),
    },
    layout: {
      ...NOTHING_KEPT.layout,
      thread: { pal: record<ToyThread["pal"]>("ToyPal", {}), libos: record<ToyThread["libos"]>("ToyLibos", {}) },
    },
    events: { name: eventName, withoutSignal: [], consumed: [] },
    hops: {
      ...HOST_HOPS,
      pended: "pending in the PAL",
      upcall: "on its way up to the LibOS",
      appended: "in the LibOS queue",
      fetched: "taken from the LibOS queue",
    },
    stateLines: (v) => [
      threadLine(v),
      enclaveLine(v),
      resultLine(v, `pal_errno ${v.thread.libos.palErrno}  `),
      stateLine("preempt", `preempt ${v.thread.libos.preempt}`),
      stateLine("pending", `LibOS pending ${v.thread.libos.hasSignal}`),
      hostPendingLine(v),
      hostMaskLine(v),
      handlerLine(v),
      ...ssaLines(v),
      ...stackLines("enclave", v.thread.enclave, v.program),
      ...stackLines("untrusted", v.thread.host, v.program),
    ],
    state: {
      ...NOTHING_KEPT.state,
      newThread(_, t) {
        t.pal = { pendingEvent: 0, pendingId: 0 };
        t.libos = { ready: false, palErrno: 0, preempt: 0, hasSignal: 0 };
      },
    },
  }),
);

/** Ctrl-C while the program waits in read. Of the scenario only the signals are taken: the toy is its own program. */
export const TOY_TEXT = `name: toy
title: Ctrl-C in a toy
main: []
signals:
  - { signal: SIGINT, when: { thread: main, site: "sys_read: read: the wait is over" } }
`;

/** The same, and SIGTERM while the handler computes inside the enclave. */
export const TOY_AEX_TEXT = `${TOY_TEXT}  - { signal: SIGTERM, when: { thread: main, site: "on-sigint: handler returns" } }
`;
