/** Linux PAL: host signal handlers, pending events, generic handling and return (reference, 2.7 to 2.10). */

import { running } from "../../cpu.ts";
import type { Flow } from "../../flow.ts";
import { findDown, localsOf, numberOf } from "../../frames.ts";
import { type Cpu, flow } from "../../generations/graphene-2019/flow.ts";
import { callArgs } from "../../host/calls.ts";
import { KERNEL, restoreRt } from "../../host/flows.ts";
import { tellAction } from "../../host/signal-calls.ts";
import type { Ref } from "../../ref.ts";
import { SIG, setOf, signalName } from "../../signals.ts";
import { type Frame, SA_ONSTACK } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { undefinedBehaviour } from "../../undefined.ts";
import { palGivesUp } from "../calls.ts";
import { EVENT, eventOf } from "../events.ts";
import {
  checkPendingEvent,
  dkExit,
  exceptionReturn,
  genericEventTrigger,
  genericSignalHandle,
  getExceptionHandler,
  palEvent,
  palMalloc,
} from "../flows.ts";
import { handled, upcall } from "../handler-table.ts";
import { genericSighandler, type Handler, pipeSighandler, signalSetup, terminateSighandler } from "./flows.ts";

/** What the running handler interrupted: the frame below it and its restorer. */
function interrupted(c: Cpu): Frame | undefined {
  const stack = running(c.t);
  return stack[stack.length - 3];
}

/** ADDR_IN_PAL on the interrupted RIP. The vDSO is not PAL text. */
export function interruptedInPal(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && c.program.flows[frame.flow]?.text === "pal";
}

/** How each handler begins. No handler has a stack of its own: that of a thread which has freed its own is not there (3.5). */
function begin(c: Cpu, v: Handler): void {
  v.event = eventOf(v.signal);
  c.signal = v.signal;
  if (localsOf(c, interrupted(c), dkExit.DkThreadExit)?.freed)
    return undefinedBehaviour(c, c.t, "signal handler: the thread's TCB and stacks are freed");
  c.extra = v.id;
}

const ASYNC = [SIG.TERM, SIG.INT, SIG.CONT] as const;
const SYNC = [SIG.FPE, SIG.SEGV, SIG.BUS, SIG.ILL, SIG.SYS] as const;

/** `flags` of the handlers. */
const setup = (flags: number): Flow =>
  flow(
    signalSetup,
    "pal",
    "2.7",
    ({ act, ret }) => [
      act("SIGCHLD := SIG_IGN, SA_NOCLDWAIT", (c) => setAction(c, SIG.CHLD, null, 0), "host.sigaction"),
      act("SIGPIPE := _DkPipeSighandler", (c) => setAction(c, SIG.PIPE, pipeSighandler, flags), "host.sigaction"),
      ...SYNC.map((signal) =>
        act(
          `rt_sigaction(${signalName(signal)}, _DkGenericSighandler, mask {SIGCONT})`,
          (c) => setAction(c, signal, genericSighandler, flags),
          "host.sigaction",
        ),
      ),
      ...ASYNC.map((signal) =>
        act(
          `rt_sigaction(${signalName(signal)}, _DkTerminateSighandler, mask {SIGCONT})`,
          (c) => setAction(c, signal, terminateSighandler, flags),
          "host.sigaction",
        ),
      ),
      ret("return (no sigprocmask: blocked signals stay blocked)"),
    ],
    { note: "D6: 8 signals with SIGSYS, no unblocking, SA_NOCLDWAIT everywhere" },
  );

/** `handler` null: SIG_IGN. */
function setAction(c: Cpu, signal: number, handler: Ref<Handler> | null, flags: number): void {
  const action = { flow: handler === null ? -1 : numberOf(c.program, handler), flags, mask: setOf([SIG.CONT]) };
  c.process(c.t).hostActions[signal] = action;
  tellAction(c, KIND["host.sigaction"], signal, action);
}

/** Async signals (2.8). */
const terminate = flow(terminateSighandler, "pal", "2.8", ({ act, test, jump, call, at, ret }) => [
  act("event := signal", begin),
  test("RIP in PAL text? signal arrived during PAL call", (c) => interruptedInPal(c), "in PAL"),
  call("_DkGenericSignalHandle(event, NULL, uc)", genericSignalHandle, (_, v) => palEvent(v.event, v.id, { hasContext: true })),
  test("handled, or RESUME?", (c, v) => c.t.rax === 1 || v.event === EVENT.RESUME, "done"),
  act("no handler: the thread ends"),
  call("_DkThreadExit()", dkExit.DkThreadExit, () => palGivesUp(0)),
  at("in PAL"),
  test("tcb.pending_event == 0?", (c) => c.t.pal.pendingEvent === 0, "first"),
  call("malloc a queue node", palMalloc),
  act(
    "append the event to tcb.pending_queue",
    (c, v) => {
      c.t.pal.queue.push({ event: v.event, id: v.id });
      pended(c, v);
    },
    "pal.event.pend",
  ),
  jump("done", "return"),
  at("first"),
  act(
    "tcb.pending_event := event",
    (c, v) => {
      c.t.pal.pendingEvent = v.event;
      c.t.pal.pendingId = v.id;
      pended(c, v);
    },
    "pal.event.pend",
  ),
  at("done"),
  ret("signal handler done"),
]);

function pended(c: Cpu, v: Handler): void {
  c.signal = v.signal;
  c.value = v.event;
  c.extra = v.id;
}

const SLAB = "slab lock of the PAL";

/** The PAL slab allocator with its lock: a handler that interrupted it waits for itself (3.3 linux-pal-malloc-in-handler). */
const malloc = flow(palMalloc, "pal", "2.8", ({ act, call, test, jump, at, ret }) => [
  at("again"),
  test("slab lock free?", (c) => !c.t.pal.slabLocked, "take"),
  call("wait for the slab lock", KERNEL["wait-any"], () => callArgs()),
  jump("again", "again"),
  at("take"),
  act(
    "lock the slab",
    (c) => {
      c.t.pal.slabLocked = true;
      c.row(KIND.lock, -1, c.t.id);
      c.detail = c.text(SLAB);
    },
    "lock",
  ),
  act("take a block"),
  act(
    "unlock the slab",
    (c) => {
      c.t.pal.slabLocked = false;
      c.row(KIND.unlock, -1, c.t.id);
      c.detail = c.text(SLAB);
    },
    "unlock",
  ),
  ret(),
]);

/** End of every PAL call (2.8 step 3). Runs after the result is known and before it is returned. */
const checkPending = flow(checkPendingEvent, "pal", "2.8", ({ act, test, jump, call, at, ret }) => [
  test("tcb.pending_event == 0?", (c) => c.t.pal.pendingEvent === 0, "done"),
  act(
    "take tcb.pending_event",
    (c, v) => {
      v.event = c.t.pal.pendingEvent;
      v.id = c.t.pal.pendingId;
      c.t.pal.pendingEvent = 0;
      c.t.pal.pendingId = 0;
      c.value = v.event;
      c.extra = v.id;
    },
    "pal.event.deliver",
  ),
  call("_DkGenericSignalHandle(tcb.pending_event, NULL, NULL)", genericSignalHandle, (_, v) => palEvent(v.event, v.id)),
  at("queue"),
  test("tcb.pending_queue empty?", (c) => c.t.pal.queue.length === 0, "done"),
  act(
    "take the next of tcb.pending_queue",
    (c, v) => {
      const next = c.t.pal.queue.shift();
      v.event = next?.event ?? 0;
      v.id = next?.id ?? 0;
      c.value = v.event;
      c.extra = v.id;
    },
    "pal.event.deliver",
  ),
  call("_DkGenericSignalHandle(event, NULL, NULL)", genericSignalHandle, (_, v) => palEvent(v.event, v.id)),
  jump("queue", "next"),
  at("done"),
  ret(),
]);

/** Sync signals (2.9). Release build: in PAL text the thread dies. */
const generic = flow(
  genericSighandler,
  "pal",
  "2.9",
  ({ act, test, jump, call, at, ret }) => [
    act("event := signal", begin),
    test("RIP in PAL text?", (c) => interruptedInPal(c), "in PAL"),
    call("_DkGenericSignalHandle(event, siginfo, uc)", genericSignalHandle, (c, v) =>
      palEvent(v.event, v.id, { arg: faultAddress(c), hasContext: true }),
    ),
    jump("done", "return"),
    at("in PAL"),
    act(
      'print "*** An unexpected ... occurred inside PAL. Exiting the thread. ***"',
      (c, v) => {
        c.value = v.event;
        c.extra = v.id;
        c.signal = v.signal;
      },
      "pal.event.lost",
    ),
    call("_DkThreadExit()", dkExit.DkThreadExit, () => palGivesUp(0)),
    at("done"),
    ret("signal handler done"),
  ],
  { note: "D8: a DEBUG build sleeps for ever in PAL text; the page writes two leading underscores" },
);

/** si_addr: the address the interrupted `fault` operation names. */
function faultAddress(c: Cpu): number {
  const address = interrupted(c)?.v.address;
  return typeof address === "number" ? address : 0;
}

const pipe = flow(pipeSighandler, "pal", "2.7", ({ act, ret }) => [
  act("assert RIP in PAL; nothing else", begin, "pal.event.lost"),
  ret("signal handler done"),
]);

const handle = flow(genericSignalHandle, "pal", "2.10", ({ test, call, at, ret, act }) => [
  call("upcall = _DkGetExceptionHandler(event)", getExceptionHandler, (_, v) => ({ event: v.event, found: false })),
  test("upcall == NULL?", (c) => c.t.rax === 0, "none"),
  call("_DkGenericEventTrigger(event, upcall, uc)", genericEventTrigger, (_, v) => v),
  act("handled", (_, v) => {
    v.handled = true;
  }),
  at("none"),
  ret("return", handled, ["return", "pal.event.lost"]),
]);

const trigger = flow(genericEventTrigger, "pal", "2.10", ({ act, callDynamic, ret }) => [
  act("event = struct exception_event(event_num, context = copy of uc registers, uc)"),
  callDynamic("upcall(event, arg, context)", upcall, "libos.upcall.enter"),
  ret(),
]);

const goBack = flow(exceptionReturn, "pal", "2.10", ({ act, ret }) => [
  act(
    "update event.uc registers with event.context registers",
    (c) => {
      const stack = running(c.t);
      const at = findDown(c, stack, genericEventTrigger);
      const event = localsOf(c, stack[at], genericEventTrigger);
      c.extra = event?.id ?? 0;
      if (!event?.hasContext) return;
      c.value = 1;
      const uc = localsOf(c, stack[findDown(c, stack, restoreRt, at)], restoreRt);
      if (uc && event.skip) uc.skip = true;
    },
    "pal.exception.return",
  ),
  ret("unwind the call stack as usual"),
]);

/** `onStack`: SA_ONSTACK, as from 2019-12 on. */
export const linuxHandlers = (onStack: boolean): Flow[] => [
  setup(onStack ? SA_ONSTACK : 0),
  terminate,
  malloc,
  checkPending,
  generic,
  pipe,
  handle,
  trigger,
  goBack,
];
