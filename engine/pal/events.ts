/** PAL events and errors (reference, 1.7). */

import { SIG } from "../signals.ts";

export const EVENT = { ARITHMETIC_ERROR: 1, MEMFAULT: 2, ILLEGAL: 3, QUIT: 4, SUSPEND: 5, RESUME: 6, FAILURE: 7 } as const;
export const EVENT_BOUND = 8;
export const EVENT_NAMES = ["NONE", "ARITHMETIC_ERROR", "MEMFAULT", "ILLEGAL", "QUIT", "SUSPEND", "RESUME", "FAILURE"] as const;

export const eventName = (event: number): string => `PAL_EVENT_${EVENT_NAMES[event] ?? event}`;

export const isSyncEvent = (event: number): boolean => event >= EVENT.ARITHMETIC_ERROR && event <= EVENT.ILLEGAL;

/** Host signal -> event; 0 when the PAL does not know it. */
export function eventOf(signal: number): number {
  switch (signal) {
    case SIG.FPE:
      return EVENT.ARITHMETIC_ERROR;
    case SIG.SEGV:
    case SIG.BUS:
      return EVENT.MEMFAULT;
    case SIG.ILL:
    case SIG.SYS:
      return EVENT.ILLEGAL;
    case SIG.TERM:
      return EVENT.QUIT;
    case SIG.INT:
      return EVENT.SUSPEND;
    case SIG.CONT:
      return EVENT.RESUME;
    default:
      return 0;
  }
}

export const PAL_ERROR = {
  INVAL: 4,
  DENIED: 6,
  INTERRUPTED: 13,
  BADADDR: 15,
  NOMEM: 16,
  TRYAGAIN: 19,
  ENDOFSTREAM: 20,
  CONNFAILED: 24,
} as const;
export const PAL_ERROR_BOUND = 25;

/** A negative errno of the host -> PAL error. */
function palError(errno: number): number {
  switch (errno) {
    case -4:
      return PAL_ERROR.INTERRUPTED;
    case -11:
    case -110:
      return PAL_ERROR.TRYAGAIN;
    case -32:
    case -104:
      return PAL_ERROR.CONNFAILED;
    default:
      return PAL_ERROR.DENIED;
  }
}

/** unix_to_pal_error of a host call's result: a negative errno becomes a negative PAL error. */
export const unixToPal = (result: number): number => (result < 0 ? -palError(result) : result);

/** PAL_ERRNO: PAL error -> positive errno of the LibOS. */
export function errnoOf(error: number): number {
  switch (error) {
    case 0:
    case PAL_ERROR.ENDOFSTREAM:
    case 23:
      return 0;
    case PAL_ERROR.INVAL:
      return 22;
    case PAL_ERROR.INTERRUPTED:
      return 4;
    case PAL_ERROR.TRYAGAIN:
      return 11;
    case PAL_ERROR.CONNFAILED:
      return 104;
    case PAL_ERROR.NOMEM:
      return 12;
    case PAL_ERROR.BADADDR:
      return 14;
    default:
      return 13;
  }
}
