/** Flows of the SGX PAL that its own files name: entry code, ocalls, handlers of host signals. */

import type { Exit } from "../../../../host/calls.ts";
import type { HandlerLocals } from "../../../../host/flows.ts";
import { type Ref, ref, refs } from "../../../../ref.ts";
import type { Locals } from "../../../../state.ts";
import { type Context, contextHolder } from "../../context.ts";

/** An ocall on its way out of the enclave. */
export interface Leaving {
  /** Flow of the untrusted function. */
  code: number;
  /** Flow of the host call that it makes, and that call's arguments; -1: none. */
  asked: number;
  args: Locals;
}

export const sgxOcall = ref<Leaving>("sgx_ocall");
export const sgxExitlessOcall = ref<Leaving>("sgx_exitless_ocall");
/** From the label eexit_prepare on, with the untrusted RSP. */
export const eexitPrepare = ref<Leaving>("sgx_ocall (eexit_prepare)");
export const doHostOcall = ref<Leaving>("do_host_ocall");
export const doSyscallIntr = ref<Asked>("do_syscall_intr");
export const sgxEcall = ref<{ start: number }>("sgx_ecall");
/** Of SIGUSR2. */
export const handleDummySignal = ref<HandlerLocals>("handle_dummy_signal");
export const sgxRaise = ref<{ event: number; id: number; signal: number }>("sgx_raise");

/** `start` of an ecall that runs none: ECALL_THREAD_RESET. */
export const THREAD_RESET = -2;

/** A host call to be made. */
export interface Asked {
  asked: number;
  args: Locals;
}

/** Registers of the interrupted code that a context keeps beside RAX and RIP: sgx_cpu_context_t. */
export interface Saved extends Context {
  rdi: number;
  rsi: number;
  /** Id of the signal whose event RSI is. */
  carried: number;
}
export const restoreSgxContext = ref<Saved>("_restore_sgx_context");

/** What stage one hands to stage two. */
export interface Exception extends Saved {
  /** As the host says. */
  event: number;
  id: number;
  /** EXITINFO: -1 not valid; the instruction behind #UD. */
  vector: number;
  opcode: string;
  /** EXINFO. */
  maddr: number;
}
export const palExceptionHandler = contextHolder<Exception>("_PalExceptionHandler");

/** Whether the host function goes through do_syscall_intr, and whether the enclave makes the ocall again on EINTR (host_ocalls.c, enclave_ocalls.c). */
export interface OcallKind {
  readonly interruptible: boolean;
  readonly again: boolean;
  /** Never asked of an RPC thread. */
  readonly exits?: boolean;
  /** The result of the system call is not looked at: 0. */
  readonly drops?: boolean;
}

/** Ocalls by their names in both worlds: ocall_NAME in the enclave, sgx_ocall_NAME outside. */
export const OCALL_KINDS = {
  read: { interruptible: true, again: false },
  write: { interruptible: true, again: false },
  pread: { interruptible: true, again: false },
  pwrite: { interruptible: true, again: false },
  open: { interruptible: true, again: true },
  close: { interruptible: false, again: true },
  accept: { interruptible: true, again: false },
  recv: { interruptible: true, again: false },
  send: { interruptible: true, again: false },
  poll: { interruptible: true, again: false },
  futex_wait: { interruptible: true, again: false, exits: true },
  futex_wake: { interruptible: true, again: false },
  sched_yield: { interruptible: true, again: false, exits: true, drops: true },
  connect: { interruptible: true, again: false },
  connect_simple: { interruptible: true, again: true },
  shutdown: { interruptible: true, again: true, drops: true },
  fsync: { interruptible: true, again: true },
  setsockopt: { interruptible: false, again: true },
  gettime: { interruptible: false, again: true },
  resume_thread: { interruptible: false, again: true },
  clone_thread: { interruptible: false, again: true, exits: true },
  create_process: { interruptible: false, again: true },
} as const satisfies Record<string, OcallKind>;
export type OcallName = keyof typeof OCALL_KINDS;
export const OCALL_NAMES = Object.keys(OCALL_KINDS) as OcallName[];
export type OcallKinds = Readonly<Record<OcallName, OcallKind>>;

export const OCALLS: Readonly<Record<OcallName, Ref<Asked>>> = refs(OCALL_NAMES, (name) => `ocall_${name}`);
export const HOST_OCALLS: Readonly<Record<OcallName, Ref<Asked>>> = refs(OCALL_NAMES, (name) => `sgx_ocall_${name}`);
export const ocallExit = ref<Exit>("ocall_exit");
export const hostOcallExit = ref<Asked>("sgx_ocall_exit");

/** First functions: of the host process and its threads, and in the enclave. */
export const loadEnclave = ref("load_enclave");
export const startRpc = ref("start_rpc");
/** Of AEX-Notify. */
export const maybeRaisePendingSignal = ref("maybe_raise_pending_signal");
export const failOnMorphedEresume = ref("fail_on_morphed_eresume");
/** The last instruction of stage one, at CSSA 0 already: `jmp *R11`. */
export const finalJump = ref("enclave_entry (aexnotify_finaljmp)");
export const sgxSignalSetup = ref("sgx_signal_setup");
export const handleEcall = ref<{ start: number }>("handle_ecall");
export const palLinuxMain = ref("pal_linux_main");
export const palStartThread = ref<{ start: number }>("pal_start_thread");
export const hostThreadExit = ref<Exit>("thread_exit (host)");
