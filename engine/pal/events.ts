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

/** Those that the emulated code raises or asks for, by number (Pal/src/pal_error.h). */
export const PAL_ERROR = {
  NOTIMPLEMENTED: 1,
  INVAL: 4,
  TOOLONG: 5,
  DENIED: 6,
  BADHANDLE: 7,
  STREAMEXIST: 8,
  STREAMNOTEXIST: 9,
  STREAMISFILE: 10,
  STREAMISDIR: 11,
  INTERRUPTED: 13,
  BADADDR: 15,
  NOMEM: 16,
  TRYAGAIN: 19,
  ENDOFSTREAM: 20,
  CONNFAILED: 24,
} as const;
export const PAL_ERROR_BOUND = 25;

/** unix_to_pal_error (pal_linux_error.h); all others are DENIED. */
const PAL_OF_UNIX: Readonly<Record<number, number>> = {
  [-2]: PAL_ERROR.STREAMNOTEXIST,
  [-4]: PAL_ERROR.INTERRUPTED,
  [-9]: PAL_ERROR.BADHANDLE,
  [-11]: PAL_ERROR.TRYAGAIN,
  [-12]: PAL_ERROR.NOMEM,
  [-14]: PAL_ERROR.BADADDR,
  [-17]: PAL_ERROR.STREAMEXIST,
  [-20]: PAL_ERROR.STREAMISFILE,
  [-21]: PAL_ERROR.STREAMISDIR,
  [-22]: PAL_ERROR.INVAL,
  [-32]: PAL_ERROR.CONNFAILED,
  [-36]: PAL_ERROR.TOOLONG,
  [-104]: PAL_ERROR.CONNFAILED,
  [-110]: PAL_ERROR.TRYAGAIN,
};

/** Of a host call's result: a negative errno becomes a negative PAL error. */
export const unixToPal = (result: number): number => (result < 0 ? -(PAL_OF_UNIX[result] ?? PAL_ERROR.DENIED) : result);

/** pal_errno_to_unix_errno of the LibOS, by PAL error (shim_init.c:78-105). Two of them say "no error". */
const ERRNO_OF_PAL = [0, 38, 38, 13, 22, 36, 13, 14, 17, 2, 20, 21, 29, 4, 14, 14, 12, 13, 14, 11, 0, 22, 107, 0, 104, 99] as const;

/** PAL_ERRNO: PAL error -> positive errno of the LibOS. */
export const errnoOf = (error: number): number => ERRNO_OF_PAL[error] ?? 0;
