/** Signal numbers, names and sets (x86-64 Linux). A set is two 32-bit halves: plain data that copies and compares. */

/** Index = number; 1..31. Real-time signals 32..64 are written SIGRTn (n = number - 32). */
const NAMES = [
  "0",
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
] as const;

export const SIGNAL_COUNT = 64;

export const signalName = (signal: number): string => NAMES[signal] ?? `SIGRT${signal - 32}`;

/** All names, for completion and "did you mean". */
export const SIGNAL_NAMES: readonly string[] = Array.from({ length: SIGNAL_COUNT }, (_, i) => signalName(i + 1));

/** Number of a name ("SIGINT", "INT", "SIGRTMIN+2", "34"), 0 when there is no such signal. */
export function signalNumber(name: string): number {
  const upper = name.toUpperCase();
  const rt = /^(?:SIG)?RT(?:_|MIN\+)?(\d+)$/.exec(upper);
  if (rt) return inRange(32 + Number(rt[1]));
  if (/^\d+$/.test(upper)) return inRange(Number(upper));
  if (upper === "SIGRTMIN" || upper === "RTMIN") return 32;
  const at = NAMES.indexOf((upper.startsWith("SIG") ? upper : `SIG${upper}`) as (typeof NAMES)[number]);
  return Math.max(0, at);
}

const inRange = (signal: number): number => (signal >= 1 && signal <= SIGNAL_COUNT ? signal : 0);

export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;

/** [signals 1..32, signals 33..64], one bit each. A value: it is replaced and never changed, so threads and frames may share one. */
export type SignalSet = readonly [number, number];

export const emptySet = (): SignalSet => [0, 0];
export const hasSignal = (set: SignalSet, signal: number): boolean =>
  signal <= 32 ? (set[0] & (1 << (signal - 1))) !== 0 : (set[1] & (1 << (signal - 33))) !== 0;

const only = (signal: number): SignalSet => (signal <= 32 ? [1 << (signal - 1), 0] : [0, 1 << (signal - 33)]);

export const addSignal = (set: SignalSet, signal: number): SignalSet => union(set, only(signal));
export const removeSignal = (set: SignalSet, signal: number): SignalSet => subtract(set, only(signal));
export const setOf = (signals: readonly number[]): SignalSet => signals.reduce(addSignal, emptySet());
export const union = (a: SignalSet, b: SignalSet): SignalSet => [a[0] | b[0], a[1] | b[1]];
export const subtract = (from: SignalSet, other: SignalSet): SignalSet => [from[0] & ~other[0], from[1] & ~other[1]];

/** What sigprocmask(2) makes of a mask: `how` is "block", "unblock" or "set". */
export const changedMask = (mask: SignalSet, how: string, set: SignalSet): SignalSet =>
  how === "block" ? union(mask, set) : how === "unblock" ? subtract(mask, set) : set;

/** A set as rows have it in numbers: signals 1 to 32, and 33 to 64 with sign. */
export const lowOf = (set: SignalSet): number => set[0] >>> 0;
export const highOf = (set: SignalSet): number => set[1] | 0;

/** "{SIGINT SIGCONT}" */
export const setText = (set: SignalSet): string => `{${signalsIn(set).map(signalName).join(" ")}}`;

export const signalsIn = (set: SignalSet): number[] =>
  Array.from({ length: SIGNAL_COUNT }, (_, i) => i + 1).filter((signal) => hasSignal(set, signal));

/** Linux default dispositions (signal(7)). */
export type DefaultAction = "terminate" | "ignore" | "stop" | "continue";

export function linuxDefault(signal: number): DefaultAction {
  switch (signal) {
    case SIG.CHLD:
    case SIG.URG:
    case SIG.WINCH:
      return "ignore";
    case SIG.STOP:
    case SIG.TSTP:
    case SIG.TTIN:
    case SIG.TTOU:
      return "stop";
    case SIG.CONT:
      return "continue";
    default:
      return "terminate";
  }
}

/** Raised by the thread's own instruction; taken before others (reference, 1.2 rule 3). */
export const isSynchronous = (signal: number): boolean =>
  signal === SIG.SEGV || signal === SIG.BUS || signal === SIG.ILL || signal === SIG.FPE || signal === SIG.TRAP || signal === SIG.SYS;
