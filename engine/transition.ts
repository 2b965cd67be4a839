/**
 * The vocabulary: every kind of transition, declared once. Types, storage columns, validation, SQL text and
 * documentation derive from this table. Ids are positions in it: append only, never reuse.
 * Rows have a fixed shape (design, section 2); a kind says what its `value` and `extra` mean.
 */

export interface KindEntry {
  readonly name: string;
  /** One line a person can follow. */
  readonly text: string;
  /** Name and meaning of the `value` column, "name: meaning", empty when unused (0). */
  readonly value: string;
  /** The same of the `extra` column. "id: signal id" follows one signal through all layers. */
  readonly extra: string;
}

/** An argument of a kind: its name and what it means. */
type Argument = "" | `${string}: ${string}`;

const kind = <const N extends string, const V extends Argument = "", const X extends Argument = "">(
  name: N,
  text: string,
  value: V = "" as V,
  extra: X = "" as X,
) => ({ name, text, value, extra }) as const;

const LOW = "low: signals 1 to 32 of the mask as bits";
const HIGH = "high: signals 33 to 64 as bits, 32 bits with sign";
const MASKS = "the mask before and after";
const ACTION = "action: 0 SIG_DFL, 1 SIG_IGN, from 2 on a handler of the application, -1 one of the PAL";
const FLAGS = "flags: SA_RESTART 1, SA_RESETHAND 2, SA_NODEFER 4, SA_ONSTACK 8";
const LOCK = "lock: object of its word, -1 for one that the PAL makes itself";
const HOLDER = "holder: thread that has it";

export const KINDS = [
  kind(
    "step",
    "an instruction of the emulated code, no crossing of a layer",
    "found: what the label speaks of, if it has a number",
    "more: the same",
  ),
  kind("branch", "a decision of the emulated code", "taken: 1 taken, 0 not"),
  kind("call", "a function of the emulated code is entered", "found: what the label speaks of, if it has a number"),
  kind("return", "a function of the emulated code returns", "result: what it gives to its caller"),

  kind("app.call", "the application calls the operating system", "operation: number of the operation in its program"),
  kind("app.return", "the call is back in the application", "result: >= 0 or a negative errno"),
  kind("app.compute", "the application runs its own instructions", "ns: how long"),
  kind("app.fault", "an instruction of the application faults", "fault: 1 divide, 2 memory, 3 illegal", "address: what it touched"),
  kind("app.handler.enter", "the application's signal handler starts", "frames: of the host on the stack, with this one", "id: signal id"),
  kind(
    "app.handler.return",
    "the application's signal handler returns",
    "frames: of the host on the stack, with this one",
    "id: signal id",
  ),
  kind("app.handler.longjmp", "the handler is left by siglongjmp", "depth: of the stack jumped to", "id: signal id"),

  kind("host.syscall.enter", "the host kernel is entered by a system call", "argument: object, signal or ns"),
  kind("host.syscall.exit", "the host system call returns", "result: >= 0 or a negative errno"),
  kind("host.signal.generate", "the host kernel makes a signal pending", "target: thread", "id: signal id"),
  kind(
    "host.signal.discard",
    "the host kernel drops a signal",
    "why: 0 ignored, 1 one of this number is pending already, 2 the target is gone, 3 no frame can be made for its handler, 4 a stop signal and SIGCONT clear each other",
    "id: signal id",
  ),
  kind(
    "host.signal.deliver",
    "the host kernel pushes a signal frame and enters the handler",
    "frames: of the host on the stack, with this one",
    "id: signal id",
  ),
  kind(
    "host.signal.default",
    "the host's default action for a signal is taken",
    "action: 1 terminate, 2 stop, 3 continue",
    "id: signal id",
  ),
  kind(
    "host.sigreturn",
    "rt_sigreturn: registers and mask come back from the frame",
    "rewritten: 1 registers were rewritten by the handler",
    "id: signal id",
  ),
  kind("host.sigaction", "the host disposition of a signal is set", ACTION, FLAGS),
  kind("host.sigprocmask", "the host mask of the thread is set", LOW, HIGH),

  kind(
    "sgx.aex",
    "asynchronous enclave exit: registers to SSA[CSSA], CSSA + 1",
    "vector: exception vector, -1 none",
    "id: signal id of what it makes way for, 0 none",
  ),
  kind(
    "sgx.eenter",
    "EENTER: the enclave is entered at its entry point",
    "cssa: SSA frames in use, as RAX gives them",
    "rdi: the register, as 32 bits with sign",
  ),
  kind(
    "sgx.eexit",
    "EEXIT: the enclave is left on purpose",
    "stage: 0 ocall, 1 exception stage one is done",
    "id: signal id of the event, 0 none",
  ),
  kind(
    "sgx.eresume",
    "ERESUME: registers from SSA[CSSA - 1], CSSA - 1",
    "rewritten: 1 SSA frame was rewritten by the exception path",
    "id: signal id of the event, 0 none",
  ),
  kind("sgx.fault", "an enclave instruction is refused by the processor", "cssa: SSA frames in use"),

  kind("ocall.enter", "the enclave asks the untrusted PAL for something"),
  kind("ocall.return", "the ocall's result is back in the enclave", "result: what it gives to its caller"),
  kind("pal.call.enter", "a Dk* function is entered (ENTER_PAL_CALL)", "pal_errno: as it is at entry"),
  kind("pal.call.leave", "a Dk* function returns (LEAVE_PAL_CALL)", "result: what it gives to its caller", "pal_errno: as it is now"),
  kind(
    "pal.call.abandon",
    "the active Dk* function is left by DkExceptionReturn, as if it returned 0",
    "pal_errno: as it is now",
    "id: signal id",
  ),
  kind("pal.event.pend", "the PAL keeps an event for the end of the PAL call, or of the ocall", "event: its number", "id: signal id"),
  kind(
    "pal.event.deliver",
    "an event is taken out and handled: one that was kept, or a RESUME by the wait it ends",
    "event: its number",
    "id: signal id",
  ),
  kind("pal.event.inject", "the untrusted PAL rewrites the interrupted registers to carry an event", "event: its number", "id: signal id"),
  kind(
    "pal.event.overwrite",
    "the same, over an event not yet delivered: that one is lost",
    "lost: signal id of the event before",
    "id: signal id",
  ),
  kind("pal.event.lost", "an event ends here without an upcall", "event: its number", "id: signal id"),
  kind("pal.exception.return", "DkExceptionReturn decides how to go back", "way: 0 return, 1 context, 2 frame", "id: signal id"),

  kind("libos.syscall.enter", "an emulated system call is entered", "preempt: the counter at entry"),
  kind("libos.syscall.exit", "an emulated system call is left", "result: >= 0 or a negative errno", "pal_errno: as it is now"),
  kind("libos.upcall.enter", "the PAL calls the LibOS for an event", "event: its number", "id: signal id, or PAL error for FAILURE"),
  kind("libos.upcall.return", "the upcall is over", "event: its number", "id: signal id, or PAL error for FAILURE"),
  kind("libos.signal.decide", "deliver_signal decides", "decision: 0 now, 1 defer, 2 lost", "id: signal id"),
  kind("libos.signal.append", "a signal is put into a thread's ring", "target: thread", "id: signal id"),
  kind("libos.signal.drop", "the ring of this signal is full: the signal is lost", "target: thread", "id: signal id"),
  kind("libos.signal.fetch", "a pending signal is taken out of the ring", "left: signals still pending", "id: signal id"),
  kind("libos.signal.deliver", "a signal meets its disposition", "disposition: 0 default, 1 ignore, 2 handler", "id: signal id"),
  kind("libos.signal.ignore", "a signal ends without a handler", "why: 0 by default, 1 by choice", "id: signal id"),
  kind("libos.signal.kill", "the default action ends the thread or process", "alive: threads of the process still alive", "id: signal id"),
  kind(
    "libos.signal.lost",
    "a signal is dropped without a trace for the application",
    "why: 1 internal thread, 2 no thread control block, 3 thread not alive, 4 the library OS or the PAL was interrupted, 5 one of its number was taken in its place, 6 its handler is not entered",
    "id: signal id",
  ),
  kind("libos.signal.delayed", "SIGNAL_DELAYED is set in the preempt counter", "preempt: the counter with the bit"),
  kind("libos.wake", "the LibOS wakes a thread", "target: thread", "id: signal id"),
  kind("libos.assert", "an assertion of the LibOS fails", "found: the value", "expected: the value that was to be, as 32 bits with sign"),
  kind("libos.fault", "an internal fault is reported by the LibOS", "event: its number", "id: signal id"),

  kind("lock", "a lock is taken", LOCK, HOLDER),
  kind("unlock", "a lock is released", LOCK, "holder: thread that had it, -1 nobody"),
  kind("thread.start", "a thread begins", "creator: id of its creator", "internal: 1 a thread of the LibOS"),
  kind(
    "thread.block",
    "the thread waits in the host kernel",
    "interruptible: 1 a signal may interrupt it, 0 not",
    "object: object waited for, -1 none",
  ),
  kind("thread.wake", "the wait is over", "cause: 0 ready, 1 timed out, 2 interrupted by a signal"),
  kind("thread.yield", "the thread gives up the processor"),
  kind("thread.exit", "the thread ends; the row's signal is the one that did it, if any", "how: 0 by itself, 1 killed, 2 died in the PAL"),
  kind("process.start", "a process begins", "parent: process"),
  kind(
    "process.exit",
    "the process ends; the row's signal is the one that did it, if any",
    "status: what the host reports: exit status, or minus the signal",
    "why: 0 it called exit, 1 default action in the host kernel, 2 default action in the LibOS, 3 assertion of the LibOS, 4 internal fault, 5 the PAL gave up, 6 control flow went where nothing is",
  ),
  kind("undefined", "what follows is undefined on real hardware: a pointer leads to dead stack frames"),

  // Appended later: keep the order above.
  kind("libos.signal.pending", "the rings are read", "pending: signals pending"),
  kind("app.setjmp", "the application remembers its stack (sigsetjmp)", "depth: of the stack"),
  kind(
    "sgx.clobber",
    "live memory of the interrupted code is overwritten",
    "what: 1 stack words, 2 red zone, 3 vector registers, 4 untrusted stack",
  ),
  kind(
    "undefined.read",
    "memory is read that holds nothing defined; the run goes on as if it held what was there last, or nothing",
    "what: 1 freed, 2 never written, 3 out of bounds",
    "id: signal id",
  ),
  kind(
    "libos.signal.overwrite",
    "a signal is put into a slot of a ring that is in use: the one there is lost",
    "lost: signal id of the one before",
    "id: signal id",
  ),
  // What the application can observe besides results: the verdict compares these rows. `signal` of app.siginfo is si_signo as the handler reads it.
  kind("app.siginfo", "the application reads a siginfo: its si_signo is the row's signal", "code: si_code", "pid: si_pid, 0 none"),
  kind(
    "app.siginfo.more",
    "the application reads the rest of the siginfo",
    "field: the field's value",
    "which: 1 si_status, 2 si_addr, 3 si_value",
  ),
  kind("app.mask", "the application's signal mask, as it runs now", LOW, HIGH),
  kind(
    "app.output",
    "a call wrote more than its result",
    "value: what it wrote",
    "which: what it is: 1 wait status, 2 remaining ns, 3 old mask 1 to 32, 4 old mask 33 to 64, 5 pending 1 to 32, 6 pending 33 to 64, 7 old value ns, 8 interval ns, 9 old handler, 10 revents",
  ),
  kind("libos.mask", "the LibOS's mask of the thread is set", LOW, HIGH),
  kind("libos.sigaction", "the LibOS's disposition of a signal is set, for this thread", ACTION, FLAGS),
  kind("pal.errno.set", "an error of the PAL is noted for the LibOS (tcb.pal_errno)", "pal_errno: as it is now"),
  kind("pal.errno.read", "the LibOS makes its result of pal_errno", "result: what it makes of it", "pal_errno: as it was read"),
  kind("lock.busy", "a lock is found taken", LOCK, HOLDER),
  kind(
    "libos.sigframe",
    "the LibOS builds a signal frame on the application's stack; its handler runs when the LibOS is left",
    "alternate: 1 the frame lies on the alternate stack",
    "id: signal id",
  ),
  kind(
    "libos.sigreturn",
    "rt_sigreturn of the LibOS: registers and mask come back from its signal frame",
    "restart: 1 they lead to a system call that is made again",
    "id: signal id",
  ),
  kind("libos.restart", "the interrupted system call is set up to be made again", "code: the restart code"),
  kind("libos.signal.force", "a fault is noted for the thread, before all queued signals", "code: si_code", "id: signal id"),
  kind(
    "libos.signal.inject",
    "the word for one SIGTERM of the host is changed",
    "word: 15 one waits to be taken, -1 it was taken and no other is",
    "id: signal id",
  ),
  kind("libos.die", "a thread is told to end at its next look for signals", "target: thread", "first: 1 it had not been told before"),
  kind(
    "pal.fail",
    "the enclave's entry code is given what cannot be, and turns for ever (FAIL_LOOP)",
    "event: its number, 0 none",
    "id: signal id of the event, 0 none",
  ),
  kind("sgx.edeccssa", "EDECCSSA: CSSA - 1 within the enclave", "cssa: SSA frames in use, then", "id: signal id of the event, 0 none"),
  kind("rpc.request", "the enclave puts an ocall into the queue of the RPC threads", "request: its number"),
  kind("rpc.take", "an RPC thread takes a request out of the queue", "request: its number", "asker: thread that asks"),
  kind("rpc.done", "an RPC thread has made the ocall of a request", "request: its number", "result: as 32 bits with sign"),
  kind(
    "rpc.abandon",
    "the enclave gives up a request that an RPC thread is at: its result is lost",
    "request: its number",
    "result: what the ocall answers instead, as 32 bits with sign",
  ),
  kind(
    "signal.take",
    "a signal ends without a handler: the program takes it (sigtimedwait, a signalfd), or the LibOS (the fault of its probe, a system call instruction)",
    "",
    "id: signal id",
  ),
] as const;

/** What the text of a row (`detail`) says, for the kinds whose rows may have one. */
export const DETAILS: Readonly<Partial<Record<KindName, string>>> = {
  step: "the name that the label speaks of",
  "libos.signal.deliver": "what was not copied of its action",
  lock: "name of the lock",
  unlock: "name of the lock",
  "lock.busy": "name of the lock",
  "host.sigprocmask": MASKS,
  "libos.mask": MASKS,
  "host.signal.deliver": MASKS,
  "host.sigreturn": MASKS,
  "host.syscall.enter": "the mask before and after, of a call that lends one",
  "host.syscall.exit": "the mask before and after, when a lent one is given back",
  "host.sigaction": "the handler and its mask",
  "libos.sigaction": "the handler and its mask",
  "host.signal.generate": "that it only wakes a thread for the LibOS",
  "sgx.aex": "that the stack pointer is outside the enclave",
  "app.fault": "what the instruction was",
  undefined: "why",
  "undefined.read": "what was read",
};

/** Kinds that a row may be instead of the one its step is declared with: how the step came out. Any step may be `undefined`. */
export const INSTEAD: Readonly<Partial<Record<KindName, readonly KindName[]>>> = {
  "host.signal.generate": ["host.signal.discard", "host.signal.default"],
  "app.fault": ["step", "host.signal.default"],
  "sgx.eenter": ["sgx.fault", "host.signal.default"],
  "sgx.eexit": ["sgx.fault", "host.signal.default"],
  "thread.block": ["step"],
  lock: ["lock.busy"],
  "pal.event.inject": ["pal.event.overwrite"],
  "pal.call.abandon": ["pal.exception.return"],
  "libos.signal.append": ["libos.signal.drop", "libos.signal.overwrite"],
  "libos.signal.deliver": ["undefined.read"],
  "libos.signal.fetch": ["libos.signal.pending"],
};

/** Why a process ended: `extra` of `process.exit`. */
export const WHY = { EXIT: 0, HOST: 1, LIBOS: 2, ASSERTION: 3, FAULT: 4, PAL: 5, UNDEFINED: 6 } as const;
export type Why = (typeof WHY)[keyof typeof WHY];

export type KindName = (typeof KINDS)[number]["name"];

export const KIND_COUNT = KINDS.length;

/** The id of a kind; the compiler knows which one it is. */
export type KindId<N extends KindName> = number & { readonly kind?: N };

/** Name to id, e.g. `KIND["sgx.aex"]`. */
export const KIND = Object.freeze(Object.fromEntries(KINDS.map((entry, id) => [entry.name, id]))) as {
  readonly [N in KindName]: KindId<N>;
};

type EntryOf<N extends KindName> = Extract<(typeof KINDS)[number], { readonly name: N }>;

/** What a row of the kind is told: as many numbers as the kind declares; one that is left out is 0. */
export type Arguments<N extends KindName> = EntryOf<N>["value"] extends ""
  ? []
  : EntryOf<N>["extra"] extends ""
    ? [value: number]
    : [value: number, extra?: number];

/** Name of an argument, "frames" of "frames: of the host on the stack"; empty when the kind has none. */
export const argumentName = (argument: string): string => argument.slice(0, Math.max(0, argument.indexOf(": ")));

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
export const CARRIES_SIGNAL_ID: Uint8Array = Uint8Array.from(KINDS, (entry) => (entry.extra.startsWith("id: signal id") ? 1 : 0));
