/** Untrusted PAL of Linux-SGX: initialisation, ocalls, host signal handlers (reference, 2.1 to 2.5). */

import { become, isPast, newFrame, retry } from "../../control.ts";
import { running, topFrame } from "../../cpu.ts";
import type { Flow, Step } from "../../flow.ts";
import { isFrameOf, localsOf, numberOf } from "../../frames.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../generations/graphene-2019/flow.ts";
import { exitArgs } from "../../host/calls.ts";
import { KERNEL, type KernelName, restoreRt } from "../../host/flows.ts";
import { recheck } from "../../host/pending.ts";
import { setMask, tellAction } from "../../host/signal-calls.ts";
import type { NoLocals, Ref } from "../../ref.ts";
import { aep } from "../../sgx/flows.ts";
import { eenter, eresume } from "../../sgx/leaf.ts";
import { SIG, setOf, signalName, subtract } from "../../signals.ts";
import type { Frame, Locals } from "../../state.ts";
import { KIND, WHY } from "../../transition.ts";
import { eventOf, PAL_ERROR, unixToPal } from "../events.ts";
import { palMain } from "../flows.ts";
import { kernelCallsOf, OCALL_NAMES, type OcallName, syscallsOf } from "../host-calls.ts";
import { lock, unlock, whenTaken } from "../locks.ts";
import {
  asyncSignals,
  ecall,
  type Handler,
  type Leaving,
  loadEnclave,
  OCALLS,
  type Ocall,
  ocallCpuid,
  resumeSighandler,
  sgxEntry,
  sgxEntryReturn,
  sgxRaise,
  sgxSignalSetup,
  syncSignals,
  terminateSighandler,
  threadStart,
} from "./flows.ts";

const libcLock = (): string => "libc";

/** RDI of a return from an ocall that a signal cut short. */
const INTERRUPTED_CODE = -PAL_ERROR.INTERRUPTED;

function setAction(c: Cpu, signal: number, handler: Ref<Handler>, blocked: readonly number[]): void {
  const action = { flow: numberOf(c.program, handler), flags: 0, mask: setOf(blocked) };
  c.process(c.t).hostActions[signal] = action;
  tellAction(c, KIND["host.sigaction"], signal, action);
}

/** `blocked` while the handler runs: SIGCONT; with [H 5b3b69332] all that come from outside. */
const setSighandler = (of: Ref<NoLocals>, signals: readonly number[], handler: Ref<Handler>, blocked: readonly number[]): Flow =>
  flow(of, "untrusted-pal", "2.1", ({ act, ret }) => [
    act(
      `action = struct sigaction(sa_handler = ${handler.name}, sa_flags = {SA_SIGINFO | SA_RESTORER}, sa_mask = {${blocked.map(signalName).join(", ")}})`,
    ),
    ...signals.map((signal) =>
      act(`rt_sigaction(${signalName(signal)}, action)`, (c) => setAction(c, signal, handler, blocked), "host.sigaction"),
    ),
    act(
      `rt_sigprocmask(SIG_UNBLOCK, ${signals.map(signalName).join(" | ")})`,
      (c) => {
        setMask(c, c.t, subtract(c.t.hostMask, setOf(signals)));
        recheck(c, c.t);
      },
      "host.sigprocmask",
    ),
    ret(),
  ]);

const signalSetup = flow(
  sgxSignalSetup,
  "untrusted-pal",
  "2.1",
  ({ call, ret }) => [
    call("set_sighandler(SIGTERM | SIGINT | SIGCONT)", asyncSignals),
    call("set_sighandler(SIGSEGV | SIGILL | SIGFPE | SIGBUS)", syncSignals),
    ret(),
  ],
  { note: "SIGCHLD, SIGPIPE, SIGALRM, SIGUSR* keep their host defaults (not said on the page)" },
);

/** First function of a process. `start` is what the first ecall runs in the enclave. */
const load = flow(loadEnclave, "untrusted-pal", "2.1", ({ act, call, ret }) => [
  act("build the enclave"),
  call("sgx_signal_setup()", sgxSignalSetup),
  act("map_tcs(gettid): current_tcs := first free TCS", (c) => {
    c.t.sgx.mapped = true;
  }),
  call("ecall_enclave_start()", ecall, (c) => ({ start: numberOf(c.program, palMain) })),
  ret(),
]);

const thread = flow(threadStart, "untrusted-pal", "2.1", ({ act, call, ret }) => [
  act("map_tcs(gettid): current_tcs := first free TCS", (c) => {
    c.t.sgx.mapped = true;
  }),
  call("ecall_thread_start()", ecall, (_, v) => ({ start: v.start })),
  ret(),
]);

const enterEnclave = flow(ecall, "untrusted-pal", "2.1", ({ act, ret }) => [
  act("RBX = TCS, RCX = async_exit_pointer, RDI = ecall number", (c) => {
    c.t.rdi = 0;
    c.t.rsi = 0;
    c.t.eventSignalId = 0;
  }),
  act(
    "EENTER(RBX, RCX)",
    (c, v) => {
      eenter(c, c.t, { start: v.start, event: 0 });
    },
    "sgx.eenter",
  ),
  ret(),
]);

/** Mark behind `RDX = ...`. Code without it uses RDX for itself: as the address of an EEXIT it is garbage (D2). */
const RDX_LOADED = "RDX loaded";

/** Where EEXIT of an ocall lands: dispatch, then back into the enclave. */
const dispatch = flow(
  sgxEntry,
  "untrusted-pal",
  "2.3",
  ({ act, callDynamic, at }) => [
    callDynamic("call the ocall's function", (c, v) => newFrame(c.program, v.code, ocallArgs(v))),
    act("RDI = result, RSI = 0", (c) => {
      c.t.rdi = c.t.rax;
      c.t.rsi = 0;
      c.t.eventSignalId = 0;
    }),
    act("RDX = sgx_entry() addr", (c) => {
      c.t.rdx = "sgx_entry";
    }),
    at(RDX_LOADED),
    act("go to sgx_entry_return()", (c) => {
      become(c.program, topFrame(c.t), numberOf(c.program, sgxEntryReturn), {});
    }),
  ],
  { note: "D2: a handler that rewrites RIP jumps past the RDX load, so RDX keeps what it had" },
);

const entryReturn = flow(sgxEntryReturn, "untrusted-pal", "2.3", ({ act, at }) => [
  at(RDX_LOADED),
  act("RBX = current thread's TCS, RCX = async_exit_pointer() addr"),
  act(
    "EENTER(RBX, RCX)",
    (c) => {
      eenter(c, c.t, { start: -1, event: 0 });
    },
    "sgx.eenter",
  ),
  // Where an EEXIT to an address that is no code leaves the thread: until SIGSEGV arrives, it gets no further.
  act("no code at this address", (c) => {
    retry(topFrame(c.t));
  }),
]);

const ocallArgs = ({ asked, args }: Leaving): Locals => ({ asked, args, tid: 0 });

/**
 * One function an ocall. The first step is before the system call, the last after it: a signal in the first makes the call
 * never happen, in the last its result is discarded (2.3 branches). Where several kernel calls are behind one ocall, `asked` says which.
 */
const ocall = (name: OcallName): Flow =>
  flow(OCALLS[name], "untrusted-pal", "2.3", (s) => {
    const { act, ret } = s;
    return [
      act("take the arguments"),
      hostCall(s, `INLINE_SYSCALL(${syscallsOf(name)})`, kernelCallsOf(name)),
      act("unix_to_pal_error(result)", (c) => {
        c.t.rax = unixToPal(c.t.rax);
      }),
      ret("return", (c) => {
        c.value = c.t.rax;
      }),
    ];
  });

/** The call that the ocall was made for. Made again after a signal it has its arguments as they were. */
const hostCall = (s: Steps<Ocall>, label: string, kernel: readonly KernelName[]): Step => {
  const [only, ...more] = kernel;
  if (only === undefined || more.length > 0) return s.callDynamic(label, (c, v) => newFrame(c.program, v.asked, v.args));
  return s.call(label, KERNEL[only] as unknown as Ref<Locals>, (_, v) => v.args);
};

/**
 * With a thread control structure: interrupt that thread. Without: pthread_create, which holds a lock of libc. A signal that rewrites RIP in
 * between leaves it held, and the next clone waits for ever (2.3, 3.5 sgx-eexit-libc-lock).
 */
const wakeThread = flow(OCALLS.ocall_wake_thread, "untrusted-pal", "2.3, 3.5 sgx-eexit-libc-lock", (s) => [
  s.act("take the arguments"),
  s.test("no thread to wake: clone_thread()?", (c, v) => v.asked === numberOf(c.program, KERNEL.clone), "clone"),
  hostCall(s, "interrupt_thread(): INLINE_SYSCALL(tgkill)", ["tgkill"]),
  s.act("unix_to_pal_error(result)", (c) => {
    c.t.rax = unixToPal(c.t.rax);
  }),
  s.ret("return", (c) => {
    c.value = c.t.rax;
  }),
  s.at("clone"),
  ...lock(s, "pthread_create(): take libc's lock", libcLock),
  hostCall(s, "pthread_create(): INLINE_SYSCALL(clone)", ["clone"]),
  s.act("pthread_create(): the result", (c, v) => {
    v.tid = unixToPal(c.t.rax);
  }),
  unlock(s, "pthread_create(): release libc's lock", libcLock),
  s.ret("clone_thread(): return", (c, v) => {
    c.t.rax = v.tid;
    c.value = v.tid;
  }),
  ...whenTaken(s, libcLock, { spins: false }),
]);

/** CPUID of the processor: no system call. */
const cpuid = flow(ocallCpuid, "untrusted-pal", "2.4", ({ act, ret }) => [
  act("cpuid"),
  ret("return", (c) => {
    c.t.rax = 0;
  }),
]);

/** RIP == AEP exactly: the frame below handler and restorer. */
const atAep = (c: Cpu): boolean => isFrameOf(c, running(c.t)[running(c.t).length - 3], aep);

const takeEvent = (c: Cpu, v: Handler): void => {
  v.event = eventOf(v.signal);
  c.signal = v.signal;
  c.extra = v.id;
};

const terminate = flow(terminateSighandler, "untrusted-pal", "2.2, 2.3", ({ act, test, jump, call, at, ret }) => [
  act("event := signal", takeEvent),
  test("RIP == async_exit_pointer()?", atAep, "in enclave"),
  act(
    "update normal-context registers = (RIP = sgx_entry_return, RDI = -PAL_ERROR_INTERRUPTED, RSI = event)",
    (c, v) => {
      inject(c, v);
    },
    "pal.event.inject",
  ),
  jump("done", "return"),
  at("in enclave"),
  call("sgx_raise(event)", sgxRaise, (_, v) => ({ event: v.event, id: v.id, signal: v.signal })),
  at("done"),
  ret("signal handler done"),
]);

/** Rewrites the registers in the signal frame. An event that was there and had not entered the enclave is lost. */
function inject(c: Cpu, v: Handler): void {
  const stack = running(c.t);
  const frame = localsOf(c, stack[stack.length - 2], restoreRt);
  const interrupted = stack[stack.length - 3];
  c.signal = v.signal;
  c.value = v.event;
  c.extra = v.id;
  if (!frame) return;
  if (frame.carried > 0 && isFrameOf(c, interrupted, sgxEntryReturn)) {
    c.kind = KIND["pal.event.overwrite"];
    c.value = frame.carried;
  }
  frame.redirect = numberOf(c.program, sgxEntryReturn);
  frame.rdi = INTERRUPTED_CODE;
  frame.rsi = v.event;
  frame.carried = v.id;
  if (!hasLoadedRdx(c, interrupted)) frame.rdx = "";
}

const hasLoadedRdx = (c: Cpu, frame: Frame | undefined): boolean => frame !== undefined && isPast(c.program, frame, RDX_LOADED);

/** Mark of the label that RDX leads to after stage one of an exception. */
export const AFTER_RESUME = "after_resume";

const raise = flow(sgxRaise, "untrusted-pal", "2.2", ({ act, at, ret }) => [
  act("RDX = after_resume() addr", (c) => {
    c.t.rdx = "after_resume";
  }),
  at(RDX_LOADED),
  act("RBX = current thread's TCS, RCX = async_exit_pointer() addr"),
  act("RDI = event (from first func arg)", (c, v) => {
    c.t.rdi = v.event;
    c.t.rsi = 0;
    c.t.eventSignalId = v.id;
  }),
  act(
    "EENTER(RBX, RCX)",
    (c, v) => {
      c.signal = v.signal;
      eenter(c, c.t, { start: -1, event: 0 });
    },
    "sgx.eenter",
  ),
  at(AFTER_RESUME),
  ret("after_resume(): return"),
]);

const resumeHandler = flow(resumeSighandler, "untrusted-pal", "2.4, 2.5", ({ act, test, call, at, ret }) => [
  act("event := signal", takeEvent),
  test("RIP == async_exit_pointer()?", atAep, "in enclave"),
  act(
    'print "... in Untrusted Code (RIP = ...)"',
    (c, v) => {
      c.signal = v.signal;
      c.value = v.event;
      c.extra = v.id;
    },
    "pal.event.lost",
  ),
  call("exit(1): this thread only", KERNEL.exit, () => exitArgs({ status: 1, how: 2, why: WHY.PAL })),
  at("in enclave"),
  call("sgx_raise(event)", sgxRaise, (_, v) => ({ event: v.event, id: v.id, signal: v.signal })),
  ret("signal handler done"),
]);

const exitPointer = flow(aep, "untrusted-pal", "1.3", ({ act }) => [act("ERESUME", (c) => eresume(c, c.t), "sgx.eresume")], {
  text: "aep",
});

/** Signals of the host that are events. */
const FROM_OUTSIDE = [SIG.TERM, SIG.INT, SIG.CONT] as const;

export const untrustedFlows = (fixes: { oneHandler: boolean }): Flow[] => [
  signalSetup,
  setSighandler(asyncSignals, FROM_OUTSIDE, terminateSighandler, fixes.oneHandler ? FROM_OUTSIDE : [SIG.CONT]),
  setSighandler(syncSignals, [SIG.SEGV, SIG.ILL, SIG.FPE, SIG.BUS], resumeSighandler, fixes.oneHandler ? FROM_OUTSIDE : [SIG.CONT]),
  load,
  thread,
  enterEnclave,
  dispatch,
  entryReturn,
  ...OCALL_NAMES.filter((name) => name !== "ocall_wake_thread").map(ocall),
  wakeThread,
  cpuid,
  terminate,
  raise,
  resumeHandler,
  exitPointer,
];
