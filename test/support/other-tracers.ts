/** One story, of a read that SIGINT ends, its handler, and a read that is made again, in the text of each tracer. */

export const PERF = `prog  812 [001] 1000.000100: raw_syscalls:sys_enter: NR 0 (3, 7ffe0000, 40, 0, 0, 0)
prog  812 [001] 1000.020100: signal:signal_generate: sig=2 errno=0 code=128 comm=prog pid=812 grp=1 res=0
prog  812 [001] 1000.020150: raw_syscalls:sys_exit: NR 0 = -512
prog  812 [001] 1000.020200: signal:signal_deliver: sig=2 errno=0 code=128 sa_handler=401100 sa_flags=4000000
prog  812 [001] 1000.020210: raw_syscalls:sys_enter: NR 39 (0, 0, 0, 0, 0, 0)
prog  812 [001] 1000.020220: raw_syscalls:sys_exit: NR 39 = 812
prog  812 [001] 1000.020300: raw_syscalls:sys_enter: NR 15 (0, 0, 0, 0, 0, 0)
prog  812 [001] 1000.020310: raw_syscalls:sys_exit: NR 15 = -4
prog  812 [001] 1000.020400: raw_syscalls:sys_enter: NR 1 (1, 7ffe0000, 6, 0, 0, 0)
prog  812 [001] 1000.020500: raw_syscalls:sys_exit: NR 1 = 6
`;
/** The same with names of events for each call, a process before the thread, and stacks. */
export const PERF_NAMED = PERF.replace(/prog {2}812 \[001\]/g, "prog   812/812   [001]")
  .replace(
    /raw_syscalls:sys_enter: NR 0 .*/,
    "syscalls:sys_enter_read: fd: 0x00000003, buf: 0x7ffe0000, count: 0x00000040\n\t    7f0012345678 __read+0x1d (/usr/lib/libc.so.6)",
  )
  .replace("raw_syscalls:sys_exit: NR 0 = -512", "syscalls:sys_exit_read: 0xfffffffffffffe00");
export const FTRACE = `# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
${PERF.replace(/^prog {2}812 \[001\] (\S+) \w+:/gm, "            prog-812     [001] d..1.  $1 ")}`;
export const TRACE_CMD = `cpus=4
${PERF.replace(/^prog {2}812 \[001\] (\S+) \w+:/gm, "            prog-812   [001]  $1 ")}`;
const at = (us: number): string => `23:27:43.${String(us).padStart(6, "0")}       1`;
export const GVISOR = `I0705 ${at(0)} main.go:214] ***************************
I0705 ${at(100)} strace.go:567] [   2:   2] prog E read(0x3 pipe:[1], 0x7f20, 0x40)
D0705 ${at(20_100)} task_signals.go:475] [   2:   2] Notified of signal 2
I0705 ${at(20_150)} strace.go:605] [   2:   2] prog X read(0x3 pipe:[1], 0x7f20, 0x40) = 0 (0x0) errno=4 (interrupted system call) (20ms)
D0705 ${at(20_200)} task_signals.go:216] [   2:   2] Signal 2: delivering to handler
I0705 ${at(20_210)} strace.go:564] [   2:   2] prog E getpid()
I0705 ${at(20_220)} strace.go:602] [   2:   2] prog X getpid() = 2 (0x2) (1.2µs)
I0705 ${at(20_300)} strace.go:564] [   2:   2] prog E rt_sigreturn()
I0705 ${at(20_400)} strace.go:564] [   2:   2] prog E write(0x1 host:[2], 0x7f30 "hello\\n", 0x6)
I0705 ${at(20_500)} strace.go:602] [   2:   2] prog X write(0x1 host:[2], 0x7f30 "hello\\n", 0x6) = 6 (0x6) (80µs)
`;

/** The same with --debug-log-format=json. */
export const GVISOR_JSON = GVISOR.trimEnd()
  .split("\n")
  .map((line) => {
    const [, time = "", msg = ""] = / (\d\d:\d\d:\d\d\.\d{6}) .*?\] (.*)$/.exec(line) ?? [];
    return `${JSON.stringify({ msg, level: "debug", time: `2024-07-05T${time}Z` })}\n`;
  })
  .join("");

/** As it was written before it told processes. */
export const GVISOR_OLD = GVISOR.replaceAll("[   2:   2]", "[   2]").replace(/= -?\d+ \((0x\w+)\)/g, "= $1");
