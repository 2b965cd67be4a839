/** What the PAL offers to the LibOS (Dk* functions), what it calls there (upcalls), and what both PALs have of their own. */

import { type Ref, ref, refs } from "../ref.ts";
import type { StackId } from "../state.ts";
import type { CreateLocals, DkExit, DkLocals } from "./calls.ts";
import type { EventLocals, MutexLocals } from "./sync-calls.ts";

/** Dk* functions with common locals; in brackets the kind of handle, which decides what happens below. */
const DK_NAMES = [
  "DkCreatePhysicalMemoryChannel",
  "DkMutexCreate",
  "DkNotificationEventCreate",
  "DkObjectClose",
  "DkObjectClose (event)",
  "DkObjectClose (mutex)",
  "DkObjectsWaitAny",
  "DkProcessCreate (made)",
  "DkSegmentRegister",
  "DkStreamAttributesQuerybyHandle",
  "DkStreamAttributesSetbyHandle",
  "DkStreamAttributesSetbyHandle (pipe)",
  "DkStreamDelete",
  "DkStreamGetName",
  "DkStreamOpen",
  "DkStreamRead",
  "DkStreamRead (device)",
  "DkStreamWaitForClient",
  "DkStreamWaitForClient (pipe)",
  "DkStreamWrite",
  "DkStreamWrite (device)",
  "DkStreamWrite (file)",
  "DkStreamWrite (tcp)",
  "DkSystemTimeQuery",
  "DkThreadDelayExecution",
  "DkThreadResume",
  "DkThreadYieldExecution",
  "DkVirtualMemoryAlloc",
  "DkVirtualMemoryFree",
] as const;
export type DkName = (typeof DK_NAMES)[number];
export const DK: Readonly<Record<DkName, Ref<DkLocals>>> = refs(DK_NAMES, (name) => name);

export const dkCreate = {
  DkThreadCreate: ref<CreateLocals>("DkThreadCreate"),
  DkProcessCreate: ref<CreateLocals>("DkProcessCreate"),
};
export const dkExit = { DkThreadExit: ref<DkExit>("DkThreadExit"), DkProcessExit: ref<DkExit>("DkProcessExit") };

/** On a mutex: to take it is to wait for it. */
export const dkMutex = {
  DkObjectsWaitAny: ref<MutexLocals>("DkObjectsWaitAny (mutex)"),
  DkMutexRelease: ref<MutexLocals>("DkMutexRelease"),
};
/** On a notification event. */
export const dkEvent = {
  DkObjectsWaitAny: ref<EventLocals>("DkObjectsWaitAny (event)"),
  DkEventSet: ref<EventLocals>("DkEventSet"),
  DkEventClear: ref<EventLocals>("DkEventClear"),
};

/** An event on its way to an upcall. */
export interface PalEvent {
  event: number;
  id: number;
  /** Fault address; 0 under SGX. */
  arg: number;
  /** There are interrupted registers to go back to. */
  hasContext: boolean;
  /** They are put back with RIP past the instruction that faulted. */
  skip: boolean;
  /** Where the interrupted code's frames end; depth -1: nowhere. Of the Linux PAL the kernel's frame says so. */
  stack: StackId;
  depth: number;
  /** SGX: index of the pal_frame's function, -1 = NULL. */
  frame: number;
  handled: boolean;
}

/** The event of an interrupted PAL call or of nothing; `given` says what else there is. */
export const palEvent = (event: number, id: number, given: Partial<PalEvent> = {}): PalEvent => ({
  event,
  id,
  arg: given.arg ?? 0,
  hasContext: given.hasContext ?? false,
  skip: false,
  stack: given.stack ?? 0,
  depth: given.depth ?? -1,
  frame: given.frame ?? -1,
  handled: false,
});

export const genericSignalHandle = ref<PalEvent>("_DkGenericSignalHandle");
/** Its frame is the event that DkExceptionReturn ends. */
export const genericEventTrigger = ref<PalEvent>("_DkGenericEventTrigger");
export const getExceptionHandler = ref<{ event: number; found: boolean }>("_DkGetExceptionHandler");
export const exceptionReturn = ref("_DkExceptionReturn");
export const checkPendingEvent = ref<{ event: number; id: number }>("__check_pending_event");
export const palMalloc = ref("pal_malloc");
export const vdsoClockGettime = ref("vdso_clock_gettime");
export const palMain = ref("pal_linux_main");

/** Locals of an upcall; `signal` and `code` are what the LibOS makes of the event. */
export interface Upcall {
  event: number;
  id: number;
  arg: number;
  hasContext: boolean;
  signal: number;
  code: number;
}

/** By event: what the LibOS gives to DkSetExceptionHandler. */
export const UPCALLS = {
  ARITHMETIC_ERROR: ref<Upcall>("arithmetic_error_upcall"),
  MEMFAULT: ref<Upcall>("memfault_upcall"),
  ILLEGAL: ref<Upcall>("illegal_upcall"),
  QUIT: ref<Upcall>("quit_upcall"),
  SUSPEND: ref<Upcall>("suspend_upcall"),
  RESUME: ref<Upcall>("resume_upcall"),
} as const;
/** The upcall of FAILURE, which has an error in place of an event. */
export const failureUpcall = ref<{ error: number }>("handle_failure");

export const dkExceptionReturn = ref("DkExceptionReturn");
