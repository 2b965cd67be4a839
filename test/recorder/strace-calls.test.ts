/**
 * Each system call that a scenario can make is read out of a log, or has its reason here. A call that is not read keeps the answer of the
 * log on every stack: a stack that would answer otherwise then looks right.
 */

import { expect, test } from "vitest";
import { SYSCALL_NAMES, type SyscallName } from "../../engine/syscalls.ts";
import { importLog } from "../support/strace-log.ts";

interface Read {
  /** The operation. */
  readonly as: string;
  /** Lines of the log, the last but one of the process. */
  readonly lines: string;
}
interface Kept {
  readonly kept: string;
}

const one = (as: string, line: string): Read => ({ as, lines: `5 1 ${line}` });
const kept = (why: string): Kept => ({ kept: why });
const HANDLER = "rt_sigaction(SIGINT, {sa_handler=0x401, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>";
const ended = (as: string, call: string, answer: string): Read => ({
  as,
  lines: `
  5 0.5 ${HANDLER}
  5 1 ${call} <unfinished ...>
  5 3 <... ${call.slice(0, call.indexOf("("))} resumed>) = ${answer} <0.002000>
  5 3.1 --- SIGINT {si_signo=SIGINT, si_code=SI_USER, si_pid=1, si_uid=0} ---
  5 3.2 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>`,
});

const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const CHILD = `
  6 2 exit_group(0) = ?
  6 2.1 +++ exited with 0 +++
  5 2.2 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---`;
const made = (as: string, call: string): Read => ({ as, lines: `5 1 ${call} = 6 <0.000100>${CHILD}` });
const waited = (as: string, call: string): Read => ({
  as,
  lines: `5 1 ${FORK} = 6 <0.000100>${CHILD}\n  5 3 ${call} <0.000010>`,
});
const TIMER = "5 0.5 timer_create(CLOCK_MONOTONIC, {sigev_signo=SIGUSR1, sigev_notify=SIGEV_SIGNAL}, [0]) = 0 <0.000010>\n";

const CALLS: Readonly<Record<SyscallName, Read | Kept>> = {
  read: one("read", 'read(3, "x", 1) = 1 <0.002000>'),
  write: one("write", 'write(4, "x", 1) = 1 <0.002000>'),
  accept: one("accept", "accept(3, NULL, NULL) = 4 <0.002000>"),
  close: kept("a log's descriptors are no objects of the scenario"),
  poll: one("poll", "poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}]) <0.002000>"),
  select: one("select", "select(4, [3], NULL, NULL, NULL) = 1 (in [3]) <0.002000>"),
  epoll_wait: one("epoll-wait", "epoll_wait(3, [{events=EPOLLIN, data={u32=3, u64=3}}], 8, -1) = 1 <0.002000>"),
  futex_wait: one("futex-wait", "futex(0x1, FUTEX_WAIT_PRIVATE, 2, NULL) = 0 <0.002000>"),
  futex_wake: kept("whom it wakes is the log's: the thread that waits goes on when the log says so"),
  semop: one("semop", "semop(0, [{sem_num=0, sem_op=-1, sem_flg=0}], 1) = 0 <0.002000>"),
  msgrcv: one("msgrcv", 'msgrcv(0, {mtype=1, mtext="x"}, 1, 0, 0) = 1 <0.002000>'),
  sigaction: one("sigaction", HANDLER),
  sigprocmask: one("sigprocmask", "rt_sigprocmask(SIG_BLOCK, [INT], NULL, 8) = 0 <0.000010>"),
  sigpending: one("sigpending", "rt_sigpending([], 8) = 0 <0.000010>"),
  sigsuspend: ended("sigsuspend", "rt_sigsuspend([], 8", "? ERESTARTNOHAND (To be restarted if no handler)"),
  sigaltstack: one("sigaltstack", "sigaltstack({ss_sp=0x1, ss_flags=0, ss_size=8192}, NULL) = 0 <0.000010>"),
  pause: ended("pause", "pause(", "? ERESTARTNOHAND (To be restarted if no handler)"),
  rt_sigtimedwait: one(
    "sigtimedwait",
    "rt_sigtimedwait([INT], NULL, {tv_sec=0, tv_nsec=1000}, 8) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>",
  ),
  rt_sigqueueinfo: one(
    "sigqueue",
    "rt_sigqueueinfo(5, SIGCHLD, {si_signo=SIGCHLD, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=7, si_ptr=0x7}) = 0 <0.000010>",
  ),
  kill: one("kill", "kill(5, SIGCHLD) = 0 <0.000010>"),
  tgkill: one("tgkill", "tgkill(5, 5, SIGCHLD) = 0 <0.000010>"),
  signalfd: one("signalfd", "signalfd4(-1, [INT], 8, 0) = 3 <0.000010>"),
  eventfd: kept("a log's descriptors are no objects of the scenario"),
  nanosleep: one("nanosleep", "nanosleep({tv_sec=0, tv_nsec=1000000}, NULL) = 0 <0.001000>"),
  clock_nanosleep: one("clock-nanosleep", "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=1000000}, NULL) = 0 <0.001000>"),
  alarm: one("alarm", "alarm(1) = 0 <0.000010>"),
  setitimer: one(
    "setitimer",
    "setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=1, tv_usec=0}}, NULL) = 0 <0.000010>",
  ),
  getitimer: one("getitimer", "getitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=0}}) = 0 <0.000010>"),
  timer_create: { as: "timer-create", lines: TIMER },
  timer_settime: {
    as: "timer-settime",
    lines: `${TIMER}5 1 timer_settime(0, 0, {it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=1, tv_nsec=0}}, NULL) = 0 <0.000010>`,
  },
  timer_delete: { as: "timer-delete", lines: `${TIMER}5 1 timer_delete(0) = 0 <0.000010>` },
  timerfd_create: kept("a log's descriptors are no objects of the scenario"),
  timerfd_settime: kept("a log's descriptors are no objects of the scenario"),
  gettimeofday: one("gettime", "gettimeofday({tv_sec=1, tv_usec=0}, NULL) = 0 <0.000010>"),
  sched_yield: one("yield", "sched_yield() = 0 <0.000010>"),
  getpid: one("getpid", "getpid() = 5 <0.000010>"),
  setpgid: {
    as: "setpgid",
    lines: `
  5 1 ${FORK} = 6 <0.000100>
  5 2 setpgid(6, 6) = 0 <0.000010>
  5 3 kill(-6, SIGTERM) = 0 <0.000010>
  6 3.1 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=5, si_uid=0} ---
  6 3.2 +++ killed by SIGTERM +++`,
  },
  setsid: {
    as: "setsid",
    lines: `
  5 1 ${FORK} = 6 <0.000100>
  6 2 setsid() = 6 <0.000010>
  6 3 kill(0, SIGTERM) = 0 <0.000010>
  6 3.1 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=6, si_uid=0} ---
  6 3.2 +++ killed by SIGTERM +++`,
  },
  getpgid: kept("its answer is a number of the log; who is in which group is told by setpgid and setsid"),
  clone: made(
    "clone",
    "clone(child_stack=0x1, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM, parent_tid=[6], tls=0x1)",
  ),
  fork: made("fork", FORK),
  vfork: made("vfork", "vfork()"),
  execve: one("exec", 'execve("/bin/x", ["x"], 0x1) = 0 <0.000010>'),
  wait4: waited("wait4", "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 6"),
  waitid: waited("waitid", "waitid(P_ALL, 0, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0, si_status=0}, WEXITED, NULL) = 0"),
  exit: { as: "exit", lines: "5 1 exit(0) = ?" },
  exit_group: { as: "exit-group", lines: "" },
  setsockopt: {
    as: "receive-timeout",
    lines: `
  5 0.5 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.000010>
  5 1 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, "\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", 16) = 0 <0.000010>`,
  },
  ioctl: kept("what it does is the device's"),
  probe: kept("it is no call of its own: a bad pointer in any call"),
  call: kept("this is how calls are kept that are not read"),
  unimplemented: kept("calls that Graphene alone lacks: it answers them by their name, as `call`"),
};

const operationsOf = ({ lines }: Read): string[] => {
  const end = lines.includes("exit(0)") ? "" : "5 9 exit_group(0) = ?\n";
  const { parsed } = importLog(`5 0 getuid() = 0 <0.000010>\n${lines}\n${end}5 9.1 +++ exited with 0 +++`);
  return [parsed.main, ...Object.values(parsed.programs)].flat().map(({ op }) => op);
};

test.each(SYSCALL_NAMES.flatMap((name) => ("as" in CALLS[name] ? [{ name, ...CALLS[name] }] : [])))("$name is read as $as", (call) => {
  expect(operationsOf(call)).toContain(call.as);
});
