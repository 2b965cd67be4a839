/** PAL events and errors (gramine-today.md 1; pal.h, pal_error.h, libos_init.c of Gramine). */

import { E, errnoNumber } from "../../../errno.ts";
import { SIG } from "../../../signals.ts";

export const EVENT = { ARITHMETIC_ERROR: 1, MEMFAULT: 2, ILLEGAL: 3, QUIT: 4, INTERRUPTED: 5 } as const;
export const NO_EVENT = 0;
/** PAL_EVENT_NUM_BOUND. */
export const EVENT_BOUND = 6;
const EVENT_NAMES = ["NO_EVENT", "ARITHMETIC_ERROR", "MEMFAULT", "ILLEGAL", "QUIT", "INTERRUPTED"] as const;

export const eventName = (event: number): string => `PAL_EVENT_${EVENT_NAMES[event] ?? event}`;

/** signal_to_pal_event. */
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
    default:
      return EVENT.INTERRUPTED;
  }
}

/** What PAL functions return, negative. */
export const PAL_ERROR = {
  NOTIMPLEMENTED: -1,
  NOTSUPPORT: -3,
  INVAL: -4,
  TOOLONG: -5,
  DENIED: -6,
  BADHANDLE: -7,
  STREAMEXIST: -8,
  STREAMNOTEXIST: -9,
  STREAMISFILE: -10,
  STREAMISDIR: -11,
  INTERRUPTED: -13,
  BADADDR: -15,
  NOMEM: -16,
  TRYAGAIN: -18,
  NOTCONNECTION: -20,
  CONNFAILED: -21,
  CONNFAILED_PIPE: -24,
} as const;

/** unix_to_pal_error: errors of the host without an entry are DENIED (pal_linux_error.h). */
const PAL_OF_UNIX: ReadonlyMap<number | null, number> = new Map(
  Object.entries({
    ENOENT: PAL_ERROR.STREAMNOTEXIST,
    EINTR: PAL_ERROR.INTERRUPTED,
    EBADF: PAL_ERROR.BADHANDLE,
    EAGAIN: PAL_ERROR.TRYAGAIN,
    ETIMEDOUT: PAL_ERROR.TRYAGAIN,
    ENOMEM: PAL_ERROR.NOMEM,
    EFAULT: PAL_ERROR.BADADDR,
    EEXIST: PAL_ERROR.STREAMEXIST,
    ENOTDIR: PAL_ERROR.STREAMISFILE,
    EISDIR: PAL_ERROR.STREAMISDIR,
    EINVAL: PAL_ERROR.INVAL,
    ENAMETOOLONG: PAL_ERROR.TOOLONG,
    EPIPE: PAL_ERROR.CONNFAILED_PIPE,
    ECONNRESET: PAL_ERROR.CONNFAILED,
    ECONNREFUSED: PAL_ERROR.CONNFAILED,
    ECONNABORTED: PAL_ERROR.CONNFAILED,
    ENOTCONN: PAL_ERROR.NOTCONNECTION,
    EINPROGRESS: PAL_ERROR.TRYAGAIN,
    EADDRINUSE: PAL_ERROR.STREAMEXIST,
    EMSGSIZE: PAL_ERROR.TOOLONG,
  }).map(([name, error]) => [errnoNumber(name), error]),
);

/** Of a host call's result: a negative errno becomes a PAL error. */
export const unixToPal = (result: number): number => (result < 0 ? (PAL_OF_UNIX.get(result) ?? PAL_ERROR.DENIED) : result);

/** pal_to_unix_errno, by PAL error from 0 on (libos_init.c). */
const ERRNO_OF_PAL = `
- ENOSYS ENOSYS EACCES EINVAL ENAMETOOLONG EACCES EBADF EEXIST ENOENT ENOTDIR EISDIR ESPIPE
EINTR EFAULT EFAULT ENOMEM EFAULT EAGAIN EINVAL ENOTCONN ECONNRESET EADDRNOTAVAIL EAFNOSUPPORT EPIPE`
  .trim()
  .split(/\s+/)
  .map((name) => errnoNumber(name) ?? 0);

/** PAL error -> negative errno; a result that is no error stays. */
export const palToUnix = (result: number): number => (result < 0 ? (ERRNO_OF_PAL[-result] ?? E.ACCES) : result);
