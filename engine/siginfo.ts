/** What a signal tells its handler: the fields of siginfo_t that are written, as plain data that travels with the signal. */

import { SIG } from "./signals.ts";

/** Which of the fields that share memory `value` is. */
export const INFO_VALUE = { none: 0, status: 1, address: 2, value: 3 } as const;

/** A type, not an interface: it is among the locals of flows. */
export type SigInfo = {
  readonly signo: number;
  readonly code: number;
  /** si_pid, 0 when there is none. */
  readonly pid: number;
  readonly which: 0 | 1 | 2 | 3;
  readonly value: number;
};

/** si_code of siginfo.h (Linux, x86-64). */
export const SI = {
  USER: 0,
  KERNEL: 128,
  QUEUE: -1,
  TIMER: -2,
  TKILL: -6,
  ILL_ILLOPC: 1,
  ILL_ILLOPN: 2,
  FPE_INTDIV: 1,
  FPE_FLTDIV: 3,
  SEGV_MAPERR: 1,
  SEGV_ACCERR: 2,
  BUS_ADRALN: 1,
  BUS_ADRERR: 2,
  SYS_SECCOMP: 1,
  CLD_EXITED: 1,
  CLD_KILLED: 2,
  CLD_STOPPED: 5,
  CLD_CONTINUED: 6,
} as const;

/** kill(2), tgkill(2) and the LibOS's ways to send: a code and who sent it. */
export const sentBy = (signo: number, pid: number, code: number = SI.USER): SigInfo => ({ signo, code, pid, which: 0, value: 0 });

/** The kernel itself: a timer that expired, a terminal. */
export const byKernel = (signo: number): SigInfo => ({ signo, code: SI.KERNEL, pid: 0, which: 0, value: 0 });

/** An instruction that faulted at, or on, an address. */
export const faultInfo = (signo: number, code: number, address: number): SigInfo => ({
  signo,
  code,
  pid: 0,
  which: INFO_VALUE.address,
  value: address,
});

/** SIGCHLD. `status` is an exit code or a signal, as `code` says. */
export const childInfo = (code: number, pid: number, status: number): SigInfo => ({
  signo: SIG.CHLD,
  code,
  pid,
  which: INFO_VALUE.status,
  value: status,
});

/** A signal with a value: sigqueue(3), a POSIX timer. */
export const withValue = (signo: number, code: number, pid: number, value: number): SigInfo => ({
  signo,
  code,
  pid,
  which: INFO_VALUE.value,
  value,
});

/** A siginfo that was cleared and never filled in. */
export const NO_INFO: SigInfo = { signo: 0, code: 0, pid: 0, which: 0, value: 0 };
