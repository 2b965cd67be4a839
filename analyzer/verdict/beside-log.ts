/** What is left out when a log that was kept as it is (a library OS's own) lies beside a run: what such a log does not tell, or tells of itself. */

import type { RunInfo } from "../../recorder/index.ts";
import type { Ignored } from "./compare.ts";

/** The log has neither what calls write nor what handlers are given, and its times are not the run's. */
const KINDS = ["output", "time-out", "siginfo", "mask"] as const;
/** The loader's, which each system has otherwise; and those that answer with an address, an id or a time. */
const CALLS = [
  ...["execve", "brk", "mmap", "mprotect", "munmap", "mremap", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "membarrier"],
  ...["getpid", "getppid", "gettid", "getpgid", "getpgrp", "clock_gettime", "gettime", "gettimeofday", "time", "getrandom"],
] as const;

export function besideLog(a: Pick<RunInfo, "origin">, b: Pick<RunInfo, "origin">, ignored: Ignored): Ignored {
  if ((a.origin === "imported") === (b.origin === "imported")) return ignored;
  return {
    ...ignored,
    kinds: new Set([...(ignored.kinds ?? []), ...KINDS]),
    calls: new Set([...(ignored.calls ?? []), ...CALLS]),
  };
}
