/** PAL events and errors (reference, 1.7). */

import { errnoNumber } from "../errno.ts";
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
const PAL_OF_UNIX: ReadonlyMap<number | null, number> = new Map(
  Object.entries({
    ENOENT: PAL_ERROR.STREAMNOTEXIST,
    EINTR: PAL_ERROR.INTERRUPTED,
    EBADF: PAL_ERROR.BADHANDLE,
    EAGAIN: PAL_ERROR.TRYAGAIN,
    ENOMEM: PAL_ERROR.NOMEM,
    EFAULT: PAL_ERROR.BADADDR,
    EEXIST: PAL_ERROR.STREAMEXIST,
    ENOTDIR: PAL_ERROR.STREAMISFILE,
    EISDIR: PAL_ERROR.STREAMISDIR,
    EINVAL: PAL_ERROR.INVAL,
    EPIPE: PAL_ERROR.CONNFAILED,
    ENAMETOOLONG: PAL_ERROR.TOOLONG,
    ECONNRESET: PAL_ERROR.CONNFAILED,
    ETIMEDOUT: PAL_ERROR.TRYAGAIN,
  }).map(([name, error]) => [errnoNumber(name), error]),
);

/** Of a host call's result: a negative errno becomes a negative PAL error. */
export const unixToPal = (result: number): number => (result < 0 ? -(PAL_OF_UNIX.get(result) ?? PAL_ERROR.DENIED) : result);

/** pal_errno_to_unix_errno of the LibOS, by PAL error from 0 on (shim_init.c:78-105). Two of them say "no error" ("-"). */
const ERRNO_OF_PAL = `
- ENOSYS ENOSYS EACCES EINVAL ENAMETOOLONG EACCES EFAULT EEXIST ENOENT ENOTDIR EISDIR ESPIPE
EINTR EFAULT EFAULT ENOMEM EACCES EFAULT EAGAIN - EINVAL ENOTCONN - ECONNRESET EADDRNOTAVAIL`
  .trim()
  .split(/\s+/)
  .map((name) => Math.abs(errnoNumber(name) ?? 0));

/** PAL_ERRNO: PAL error -> positive errno of the LibOS. */
export const errnoOf = (error: number): number => ERRNO_OF_PAL[error] ?? 0;
