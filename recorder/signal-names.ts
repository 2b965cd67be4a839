/** Names of the Linux x86-64 signals, by number. */

const CLASSIC = [
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

/** Kernel numbering: real-time signals begin at 32 (the C library keeps 32 and 33 for itself). */
const RTMIN = 34;
const LAST = 64;

/** Every signal as [number, name], 1..64. */
export const SIGNAL_NAMES: readonly (readonly [number, string])[] = [
  ...CLASSIC.map((name, i) => [i + 1, name] as const),
  [32, "SIGCANCEL"],
  [33, "SIGSETXID"],
  ...Array.from({ length: LAST - RTMIN + 1 }, (_, i) => [RTMIN + i, i === 0 ? "SIGRTMIN" : `SIGRTMIN+${i}`] as const),
];
