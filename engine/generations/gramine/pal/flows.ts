/** What the PAL offers to the LibOS, and the LibOS's upcalls, for those who call them. */

import type { CallLocals, Exit } from "../../../host/calls.ts";
import type { HandlerLocals } from "../../../host/flows.ts";
import { type Ref, ref, refs } from "../../../ref.ts";
import type { Word } from "../../../state.ts";
import type { ReceiveTimeoutArgs } from "../../../syscalls.ts";
import { type Context, contextHolder } from "../context.ts";

/** Those that take what a host call takes; in brackets the kind of handle, which decides what happens below. */
const NAMES = [
  "PalStreamOpen",
  "PalStreamOpen (pipe)",
  "PalStreamRead",
  "PalStreamWrite",
  "PalStreamRead (file)",
  "PalStreamWrite (file)",
  "PalStreamWrite (any)",
  "PalEventWait (lock of a file)",
  "PalSocketAccept",
  "PalSocketRecv",
  "PalSocketSend",
  "PalSocketConnect",
  "PalStreamDelete",
  "PalStreamFlush",
  "PalObjectDestroy",
  "PalThreadYieldExecution",
] as const;
export type PalCallName = (typeof NAMES)[number];

export interface EventLocals {
  object: number;
  /** ns, NEVER: without a time-out. */
  timeout: number;
  /** The wait that ends takes the signal away. */
  autoClear: boolean;
}

/** Objects that are waited for; the outside world answers after `takes`, or one of them does. */
export interface WaitLocals {
  objects: readonly number[];
  /** ns, NEVER: without a time-out. */
  timeout: number;
  takes: number;
  result: number;
  ends: number;
}

/** Thread or process that is made. */
export interface CreateLocals {
  program: string;
  /** Flow of a thread's first function in the LibOS; -1: its program. */
  start: number;
  internal: boolean;
  cloned: Word;
}

export const PAL: Readonly<Record<PalCallName, Ref<CallLocals>>> & {
  readonly PalStreamsWaitEvents: Ref<WaitLocals>;
  readonly PalStreamAttributesSetByHandle: Ref<ReceiveTimeoutArgs>;
  readonly PalEventWait: Ref<EventLocals>;
  readonly PalEventSet: Ref<{ object: number; autoClear: boolean }>;
  readonly PalEventClear: Ref<{ object: number }>;
  readonly PalThreadResume: Ref<{ target: number }>;
  readonly PalSystemTimeQuery: Ref<object>;
  readonly PalThreadCreate: Ref<CreateLocals>;
  readonly PalProcessCreate: Ref<CreateLocals>;
  readonly PalThreadExit: Ref<Exit>;
  readonly PalProcessExit: Ref<Exit>;
} = {
  ...(refs(NAMES, (name) => name) as Readonly<Record<PalCallName, Ref<CallLocals>>>),
  PalStreamsWaitEvents: ref("PalStreamsWaitEvents"),
  PalStreamAttributesSetByHandle: ref("PalStreamAttributesSetByHandle"),
  PalEventWait: ref("PalEventWait"),
  PalEventSet: ref("PalEventSet"),
  PalEventClear: ref("PalEventClear"),
  PalThreadResume: ref("PalThreadResume"),
  PalSystemTimeQuery: ref("PalSystemTimeQuery"),
  PalThreadCreate: ref("PalThreadCreate"),
  PalProcessCreate: ref("PalProcessCreate"),
  PalThreadExit: ref("PalThreadExit"),
  PalProcessExit: ref("PalProcessExit"),
};

/** Locals of the PAL's handlers of host signals. */
export interface Handler extends HandlerLocals {
  event: number;
}
export const handleAsyncSignal = ref<Handler>("handle_async_signal");
export const handleSyncSignal = ref<Handler>("handle_sync_signal");

/** An event on its way to an upcall; its frame holds the PAL_CONTEXT that the upcall may rewrite. */
export interface PalEvent extends Context {
  event: number;
  id: number;
  addr: number;
  inPal: boolean;
}
export const performSignalHandling = contextHolder<PalEvent>("perform_signal_handling");

/** Locals of an upcall. */
export interface Upcall {
  event: number;
  id: number;
  addr: number;
  inPal: boolean;
}

export const UPCALLS = {
  ARITHMETIC_ERROR: ref<Upcall>("arithmetic_error_upcall"),
  MEMFAULT: ref<Upcall>("memfault_upcall"),
  ILLEGAL: ref<Upcall>("illegal_upcall"),
  QUIT: ref<Upcall>("quit_upcall"),
  INTERRUPTED: ref<Upcall>("interrupted_upcall"),
} as const;

/** First function of a thread of the process; `start` -1: of the first one. */
export const palThreadInit = ref<{ start: number }>("pal_thread_init");
export const palMain = ref("pal_main");
export const signalSetup = ref("signal_setup");
