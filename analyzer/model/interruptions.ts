/**
 * Events that interrupt an ocall (reference 2.3): the untrusted PAL rewrites the interrupted registers, the thread enters the enclave as if
 * the ocall had returned -PAL_ERROR_INTERRUPTED, and the PAL calls the LibOS for the event. The model follows each on its PAL call.
 */

import { signalNumber } from "../../engine/index.ts";

/** Host signal of the RESUME event: it stands for whatever is pending in the LibOS. */
const SIGCONT = signalNumber("SIGCONT");

/** Seqs are NONE for what has not happened. */
export interface Interruption {
  /** Signal id of the event. */
  readonly event: number;
  /** The host's signal; from the handler on the one that is handled. */
  signal: number;
  /** The registers were rewritten. */
  readonly injected: number;
  readonly injectedAt: number;
  /** EENTER with the code of an interrupted ocall in RDI. */
  entered: number;
  /** The upcall of the event. */
  upcall: number;
  upcallAt: number;
  /** The application's handler of the event. */
  handler: number;
}

/** Whether a handler that starts with signal id `id` is the one of an event. */
export const isHandlerOf = (event: number, signal: number, id: number): boolean => signal === SIGCONT || event === id;
