/**
 * The vocabulary: every kind of transition, declared once. Types, storage columns, validation, SQL text and
 * documentation derive from this table. Ids are positions in it: append only, never reuse.
 * Rows have a fixed shape (design, section 2); a kind says what its `value` and `extra` mean.
 */

export interface KindEntry {
  readonly name: string;
  /** One line a person can follow. */
  readonly text: string;
  /** Meaning of the `value` column, empty when unused (0). */
  readonly value: string;
  /** Meaning of the `extra` column, empty when unused (0). "signal id" follows one signal through all layers. */
  readonly extra: string;
}

const kind = <const N extends string>(name: N, text: string, value = "", extra = "") => ({ name, text, value, extra }) as const;

export const KINDS = [
  kind("step", "an instruction of the emulated code, no crossing of a layer"),
  kind("branch", "a decision of the emulated code", "1 taken, 0 not"),
  kind("call", "a function of the emulated code is entered"),
  kind("return", "a function of the emulated code returns", "result"),

  kind("app.call", "the application calls the operating system", "number of the operation in its program"),
  kind("app.return", "the call is back in the application", "result: >= 0 or a negative errno"),
  kind("app.compute", "the application runs its own instructions", "ns"),
  kind("app.fault", "an instruction of the application faults", "1 divide, 2 memory, 3 illegal", "faulting address"),
  kind("app.handler.enter", "the application's signal handler starts", "host signal frames on the stack", "signal id"),
  kind("app.handler.return", "the application's signal handler returns", "host signal frames on the stack", "signal id"),
  kind("app.handler.longjmp", "the handler is left by siglongjmp", "stack depth jumped to", "signal id"),

  kind("host.syscall.enter", "the host kernel is entered by a system call", "argument: object, signal or ns"),
  kind("host.syscall.exit", "the host system call returns", "result: >= 0 or a negative errno"),
  kind("host.signal.generate", "the host kernel makes a signal pending", "target thread", "signal id"),
  kind(
    "host.signal.discard",
    "the host kernel drops a signal",
    "0 ignored, 1 one of this number is pending already, 2 the target is gone",
    "signal id",
  ),
  kind(
    "host.signal.deliver",
    "the host kernel pushes a signal frame and enters the handler",
    "host signal frames on the stack",
    "signal id",
  ),
  kind("host.signal.default", "the host's default action for a signal is taken", "1 terminate, 2 stop, 3 continue", "signal id"),
  kind(
    "host.sigreturn",
    "rt_sigreturn: registers and mask come back from the frame",
    "1 registers were rewritten by the handler",
    "signal id",
  ),
  kind("host.sigaction", "the host disposition of a signal is set"),
  kind("host.sigprocmask", "the host mask of the thread is set"),

  kind(
    "sgx.aex",
    "asynchronous enclave exit: registers to SSA[CSSA], CSSA + 1",
    "exception vector, -1 none",
    "1 stack pointer inside the enclave, 0 outside",
  ),
  kind("sgx.eenter", "EENTER: the enclave is entered at its entry point", "CSSA given in RAX", "RDI, as 32 bits with sign"),
  kind("sgx.eexit", "EEXIT: the enclave is left on purpose", "0 ocall, 1 exception stage one is done"),
  kind("sgx.eresume", "ERESUME: registers from SSA[CSSA - 1], CSSA - 1", "1 SSA frame was rewritten by the exception path"),
  kind("sgx.fault", "an enclave instruction is refused by the processor", "CSSA"),

  kind("ocall.enter", "the enclave asks the untrusted PAL for something"),
  kind("ocall.return", "the ocall's result is back in the enclave", "result"),
  kind("pal.call.enter", "a Dk* function is entered (ENTER_PAL_CALL)", "pal_errno at entry"),
  kind("pal.call.leave", "a Dk* function returns (LEAVE_PAL_CALL)", "result", "pal_errno"),
  kind("pal.call.abandon", "the active Dk* function is left by DkExceptionReturn, as if it returned 0", "pal_errno", "signal id"),
  kind("pal.event.pend", "the Linux PAL keeps an event for the end of the PAL call", "event number", "signal id"),
  kind(
    "pal.event.deliver",
    "an event is taken out and handled: one that was kept, or a RESUME by the wait it ends",
    "event number",
    "signal id",
  ),
  kind("pal.event.inject", "the untrusted PAL rewrites the interrupted registers to carry an event", "event number", "signal id"),
  kind("pal.event.overwrite", "the same, over an event not yet delivered: that one is lost", "signal id of the lost event", "signal id"),
  kind("pal.event.lost", "an event ends here without an upcall", "event number", "signal id"),
  kind("pal.exception.return", "DkExceptionReturn decides how to go back", "0 return, 1 context, 2 frame", "signal id"),

  kind("libos.syscall.enter", "an emulated system call is entered", "preempt at entry"),
  kind("libos.syscall.exit", "an emulated system call is left", "result: >= 0 or a negative errno", "pal_errno"),
  kind("libos.upcall.enter", "the PAL calls the LibOS for an event", "event number", "signal id, or PAL error for FAILURE"),
  kind("libos.upcall.return", "the upcall is over", "event number", "signal id, or PAL error for FAILURE"),
  kind("libos.signal.decide", "deliver_signal decides", "0 now, 1 defer, 2 lost", "signal id"),
  kind("libos.signal.append", "a signal is put into a thread's ring", "target thread", "signal id"),
  kind("libos.signal.drop", "the ring of this signal is full: the signal is lost", "target thread", "signal id"),
  kind("libos.signal.fetch", "a pending signal is taken out of the ring", "signals still pending", "signal id"),
  kind("libos.signal.deliver", "a signal meets its disposition", "0 default, 1 ignore, 2 handler", "signal id"),
  kind("libos.signal.ignore", "a signal ends without a handler", "0 by default, 1 by choice", "signal id"),
  kind("libos.signal.kill", "the default action ends the thread or process", "threads of the process still alive", "signal id"),
  kind(
    "libos.signal.lost",
    "a signal is dropped without a trace for the application",
    "why: 1 internal thread, 2 no thread control block, 3 thread not alive",
    "signal id",
  ),
  kind("libos.signal.delayed", "SIGNAL_DELAYED is set in the preempt counter", "preempt with the bit"),
  kind("libos.wake", "the LibOS wakes a thread", "target thread", "signal id"),
  kind("libos.assert", "an assertion of the LibOS fails", "found", "expected, as 32 bits with sign"),
  kind("libos.fault", "an internal fault is reported by the LibOS", "event number", "signal id"),

  kind("lock", "a lock is taken", "lock"),
  kind("unlock", "a lock is released", "lock"),
  kind("thread.start", "a thread begins", "id of its creator", "1 internal thread"),
  kind("thread.block", "the thread waits in the host kernel", "1 a signal may interrupt it, 0 not", "object waited for, -1 none"),
  kind("thread.wake", "the wait is over", "0 ready, 1 timed out, 2 interrupted by a signal"),
  kind("thread.yield", "the thread gives up the processor"),
  kind("thread.exit", "the thread ends; the row's signal is the one that did it, if any", "0 by itself, 1 killed, 2 died in the PAL"),
  kind("process.start", "a process begins", "parent process"),
  kind(
    "process.exit",
    "the process ends; the row's signal is the one that did it, if any",
    "what the host reports: exit status, or minus the signal",
    "why: 0 it called exit, 1 default action in the host kernel, 2 default action in the LibOS, 3 assertion of the LibOS, 4 internal fault, 5 the PAL gave up, 6 control flow went where nothing is",
  ),
  kind("undefined", "what follows is undefined on real hardware: a pointer leads to dead stack frames"),

  // Appended later: keep the order above.
  kind("libos.signal.pending", "the rings are read", "signals pending"),
  kind("app.setjmp", "the application remembers its stack (sigsetjmp)", "stack depth"),
  kind(
    "sgx.clobber",
    "live memory of the interrupted code is overwritten",
    "1 stack words, 2 red zone, 3 vector registers, 4 untrusted stack",
  ),
  kind(
    "undefined.read",
    "memory is read that holds nothing defined; the run goes on as if it held what was there last, or nothing",
    "1 freed, 2 never written, 3 out of bounds",
    "signal id",
  ),
  kind(
    "libos.signal.overwrite",
    "a signal is put into a slot of a ring that is in use: the one there is lost",
    "signal id of the lost signal",
    "signal id",
  ),
  // What the application can observe besides results: the verdict compares these rows. `signal` of app.siginfo is si_signo as the handler reads it.
  kind("app.siginfo", "the application reads a siginfo: its si_signo is the row's signal", "si_code", "si_pid, 0 none"),
  kind(
    "app.siginfo.more",
    "the application reads the rest of the siginfo",
    "the field's value",
    "which: 1 si_status, 2 si_addr, 3 si_value",
  ),
  kind(
    "app.mask",
    "the application's signal mask, as it runs now",
    "signals 1 to 32 as bits",
    "signals 33 to 64 as bits, 32 bits with sign",
  ),
  kind(
    "app.output",
    "a call wrote more than its result",
    "what it wrote",
    "what it is: 1 wait status, 2 remaining ns, 3 old mask 1 to 32, 4 old mask 33 to 64, 5 pending 1 to 32, 6 pending 33 to 64, 7 old value ns, 8 interval ns, 9 old handler, 10 revents",
  ),
] as const;

/** Why a process ended: `extra` of `process.exit`. */
export const WHY = { EXIT: 0, HOST: 1, LIBOS: 2, ASSERTION: 3, FAULT: 4, PAL: 5, UNDEFINED: 6 } as const;
export type Why = (typeof WHY)[keyof typeof WHY];

export type KindName = (typeof KINDS)[number]["name"];

export const KIND_COUNT = KINDS.length;

/** Name to id, e.g. `KIND["sgx.aex"]`. */
export const KIND: Readonly<Record<KindName, number>> = Object.freeze(
  Object.fromEntries(KINDS.map((entry, id) => [entry.name, id])),
) as Record<KindName, number>;

export const kindName = (id: number): string => KINDS[id]?.name ?? `kind-${id}`;

/** Where code runs (reference, section 1.1). Ids are positions. */
export const LAYERS = ["app", "libos", "pal", "untrusted-pal", "host"] as const;
export type Layer = (typeof LAYERS)[number];

export const CONTEXTS = ["normal", "signal"] as const;
export type ContextName = (typeof CONTEXTS)[number];

/** One row of the `site` table: a place in the emulated code. Ids are positions. */
export interface Site {
  readonly flow: string;
  /** Position of the step in its flow. */
  readonly step: number;
  readonly label: string;
  readonly layer: Layer;
  readonly context: ContextName;
  /** Section of the reference the flow follows; empty for places made from a scenario. */
  readonly source: string;
}

/** One row of the `thread` table. Ids are positions. */
export interface ThreadInfo {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** A helper thread of the LibOS: the application does not know it. */
  readonly internal: boolean;
}

/** A choice the state does not determine, kept only when it is not the default (0). */
export interface Decision {
  readonly seq: number;
  /** Which kind of choice point: see `engine/choice.ts`. */
  readonly point: string;
  readonly choice: number;
}

/** One transition as a value; for tests, tools and texts, never on the hot path. */
export interface Transition {
  seq: number;
  time: number;
  thread: number;
  site: number;
  kind: number;
  signal: number;
  value: number;
  extra: number;
  depth: number;
  cssa: number;
  preempt: number;
  pending: number;
  detail: number;
}

/** 1 for the kinds whose `extra` is the id of one signal; by kind id. Upcalls of some events have another `extra`: see `signalIdReader`. */
export const CARRIES_SIGNAL_ID: Uint8Array = Uint8Array.from(KINDS, (entry) => (entry.extra.startsWith("signal id") ? 1 : 0));
