/** Error numbers of the kernel (Linux, x86-64), negative as it returns them, and their names. */

/** In order from 1; "-" where there is no error of that number. */
const NAMES: readonly string[] = `
EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR
EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS
ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT -
EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ
EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE
ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET
ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY
EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED
EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON`
  .trim()
  .split(/\s+/);

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...NAMES.flatMap((name, i) => (name === "-" ? [] : [[name, -(i + 1)] as const])),
  ["EWOULDBLOCK", -11],
  ["EDEADLOCK", -35],
  ["ENOTSUP", -95],
]);

/** -4 for "EINTR"; null when no such error is known. */
export const errnoNumber = (name: string): number | null => NUMBERS.get(name) ?? null;

function known(name: string): number {
  const number = errnoNumber(name);
  if (number === null) throw new Error(`engine/errno.ts: no error ${name}`);
  return number;
}

/** Those that the emulated code returns or looks at. */
export const E = {
  PERM: known("EPERM"),
  NOENT: known("ENOENT"),
  SRCH: known("ESRCH"),
  INTR: known("EINTR"),
  BADF: known("EBADF"),
  CHILD: known("ECHILD"),
  AGAIN: known("EAGAIN"),
  NOMEM: known("ENOMEM"),
  ACCES: known("EACCES"),
  FAULT: known("EFAULT"),
  INVAL: known("EINVAL"),
  PIPE: known("EPIPE"),
  NOSYS: known("ENOSYS"),
  NODATA: known("ENODATA"),
  NOTSOCK: known("ENOTSOCK"),
  NOPROTOOPT: known("ENOPROTOOPT"),
  CONNRESET: known("ECONNRESET"),
  TIMEDOUT: known("ETIMEDOUT"),
  /** Kernel-internal: restart the call if the handler has SA_RESTART. Never seen by a program. */
  RESTARTSYS: -512,
  /** The same: only if no handler runs. */
  RESTARTNOHAND: -514,
  /** The same, and then with the time that is left. */
  RESTARTBLOCK: -516,
} as const;

/**
 * Restart codes inside a library OS. There they are the kernel's numbers; here they are others, because RAX of a thread may hold either, and
 * the host's kernel must not take the library's for its own.
 */
export const LIBOS_RESTART = { SYS: -1512, NOINTR: -1513, NOHAND: -1514 } as const;

export const isRestart = (code: number): boolean =>
  code === LIBOS_RESTART.SYS || code === LIBOS_RESTART.NOHAND || code === LIBOS_RESTART.NOINTR;

const RESTART_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [E.RESTARTSYS, "-ERESTARTSYS"],
  [E.RESTARTNOHAND, "-ERESTARTNOHAND"],
  [E.RESTARTBLOCK, "-ERESTART_RESTARTBLOCK"],
  [LIBOS_RESTART.SYS, "-ERESTARTSYS"],
  [LIBOS_RESTART.NOINTR, "-ERESTARTNOINTR"],
  [LIBOS_RESTART.NOHAND, "-ERESTARTNOHAND"],
]);

/** "-EINTR" for -4, "-errno 999" for an unknown one, the plain number otherwise. */
export function resultText(result: number): string {
  if (result >= 0 || result < -4095) return String(result);
  const restart = RESTART_NAMES.get(result);
  if (restart !== undefined) return restart;
  const name = NAMES[-result - 1] ?? "-";
  return name === "-" ? `-errno ${-result}` : `-${name}`;
}
