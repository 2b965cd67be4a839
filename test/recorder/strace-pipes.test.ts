/**
 * Small logs of broken pipes, sockets with time-outs, bad pointers and cut sleeps, which a library OS answers otherwise than Linux: see
 * `strace-answers.test.ts`.
 */

import { describe, expect, test } from "vitest";
import { handled, results, rowsOf, runScenario } from "../support/run-scenario.ts";
import { importLog, type Log } from "../support/strace-log.ts";

const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const THREAD = "clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0} => {parent_tid=[6]}, 88)";
const act = (signal: string, handler: string, flags = "SA_RESTORER") =>
  `rt_sigaction(${signal}, {sa_handler=${handler}, sa_mask=[], sa_flags=${flags}, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>`;
const told = (signal: string, code: string, pid: number) =>
  `--- ${signal} {si_signo=${signal}, si_code=${code}, si_pid=${pid}, si_uid=0} ---`;
const sigreturn = (value = "0") => `rt_sigreturn({mask=[]}) = ${value} <0.000010>`;

/** Results of a thread's calls, in order. */
const said = (log: Log, stack: "native-linux" | "gramine-linux", who = "main"): string[] => results(runScenario(log.parsed, stack), who);
/** Operations that were kept as they are. */
const opaque = (log: Log): string[] =>
  [log.parsed.main, ...Object.values(log.parsed.programs)].flat().flatMap((item) => (item.op === "call" ? [item.name] : []));

describe("a pipe without a reader", () => {
  const EPIPE = "-1 EPIPE (Broken pipe) <0.000010>";
  const raised = told("SIGPIPE", "SI_USER", 5);

  test("raises SIGPIPE for the thread that wrote, and for nobody else; on Gramine one that does not block it takes it", () => {
    const log = importLog(`
      5 0 ${act("SIGPIPE", "0x401")}
      5 1 ${THREAD} = 6 <0.000100>
      5 2 nanosleep({tv_sec=0, tv_nsec=500000000},  <unfinished ...>
      6 9 rt_sigprocmask(SIG_BLOCK, [PIPE], [], 8) = 0 <0.000010>
      6 10 write(4, "x", 1) = ${EPIPE}
      6 200 rt_sigprocmask(SIG_UNBLOCK, [PIPE], [PIPE], 8) = 0 <0.000010>
      6 200.1 ${raised}
      6 200.2 ${sigreturn()}
      6 300 exit(0) = ?
      6 300.1 +++ exited with 0 +++
      5 502 <... nanosleep resumed>0x7ffc) = 0 <0.500000>`);
    expect([log.parsed.signals, opaque(log)]).toEqual([[], []]);
    const [native, inside] = [runScenario(log.parsed, "native-linux"), runScenario(log.parsed, "gramine-linux")];
    expect([handled(native, "thread-6"), handled(native, "main")]).toEqual([["SIGPIPE"], []]);
    expect(said(log, "native-linux", "thread-6")).toEqual(["sigprocmask 0", "write -EPIPE", "sigprocmask 0"]);
    expect([handled(inside, "thread-6"), handled(inside, "main")]).toEqual([[], ["SIGPIPE"]]);
  });

  test.each(['write(4, "x", 1)', 'writev(4, [{iov_base="x", iov_len=1}], 1)', 'sendto(4, "x", 1, 0, NULL, 0)'])(
    "%s: by default it kills",
    (call) => {
      const log = importLog(`
      5 0 ${call} = ${EPIPE}
      5 0.1 ${raised}
      5 0.2 +++ killed by SIGPIPE +++`);
      expect([log.parsed.signals, opaque(log)]).toEqual([[], []]);
      const end = (stack: "native-linux" | "gramine-linux") =>
        rowsOf(runScenario(log.parsed, stack), { what: "process.exit" }).map(({ value }) => value);
      expect([end("native-linux"), end("gramine-linux")]).toEqual([[-13], [128 + 13]]);
    },
  );

  test.each([
    ["ignored", act("SIGPIPE", "SIG_IGN"), 'write(4, "x", 1)', raised, []],
    ["asked to be left out", act("SIGPIPE", "0x401"), 'sendto(4, "x", 1, MSG_NOSIGNAL, NULL, 0)', "getpid() = 5 <0.000010>", ["sendto"]],
    ["left out by a log without signals", act("SIGUSR1", "0x401"), 'write(4, "x", 1)', "getpid() = 5 <0.000010>", ["write"]],
  ])("%s: the program goes on", (_, action, call, next, kept) => {
    const log = importLog(`
      5 0 ${action}
      5 1 ${call} = ${EPIPE}
      5 1.1 ${next}
      5 2 exit_group(3) = ?
      5 2.1 +++ exited with 3 +++`);
    expect(opaque(log)).toEqual(kept);
    for (const stack of ["native-linux", "gramine-linux"] as const) {
      const ran = runScenario(log.parsed, stack);
      expect([handled(ran), rowsOf(ran, { what: "process.exit" }).map(({ value }) => value)]).toEqual([[], [3]]);
    }
  });
});

describe("a socket with a time-out of its own", () => {
  const FIVE = '"\\5\\0\\0\\0\\0\\0\\0\\0\\240\\206\\1\\0\\0\\0\\0\\0"';
  const EAGAIN = "-1 EAGAIN (Resource temporarily unavailable)";
  const timeOf = (log: Log, stack: "native-linux" | "gramine-linux"): number[] => {
    const rows = runScenario(log.parsed, stack).rows.filter(
      ({ who, what }) => who === "main" && (what === "app.call" || what === "app.return"),
    );
    return rows.flatMap((row, i) => (row.what === "app.return" ? [Math.round((row.time - (rows[i - 1]?.time ?? 0)) / 1e8)] : []));
  };

  test.each([
    ["recvfrom", "recvfrom(3, 0x7ffc, 1, 0, NULL, NULL)"],
    ["recvmsg", "recvmsg(3, 0x7ffc, 0)"],
    ["read", "read(3, 0x7ffc, 1)"],
    ["accept", "accept(3, NULL, NULL)"],
    ["accept4", "accept4(3, NULL, NULL, SOCK_CLOEXEC)"],
  ])("%s: the wait is over with the time; on Gramine a unix socket has none", (_, call) => {
    const logOf = (family: string) =>
      importLog(`
      5 0 socket(${family}, SOCK_STREAM, 0) = 3 <0.000010>
      5 1 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, ${FIVE}, 16) = 0 <0.000010>
      5 2 ${call} = ${EAGAIN} <5.101000>
      5 5104 exit_group(0) = ?
      5 5104.1 +++ exited with 0 +++`);
    const [tcp, unix] = [logOf("AF_INET"), logOf("AF_UNIX")];
    expect(opaque(tcp)).toEqual(["socket"]);
    const waited = call.startsWith("accept") ? "accept" : "read";
    for (const log of [tcp, unix]) {
      expect(said(log, "native-linux")).toEqual(["call 3", "setsockopt 0", `${waited} -EAGAIN`]);
      expect(timeOf(log, "native-linux").at(-1)).toBe(51);
    }
    expect(said(tcp, "gramine-linux")).toEqual(["call 3", "setsockopt 0", `${waited} -EAGAIN`]);
    expect(said(unix, "gramine-linux")).toEqual(["call 3", "setsockopt -ENOPROTOOPT"]);
  });

  test("a handler ends the wait, SA_RESTART or not; without a time-out the wait begins again", () => {
    const logOf = (seconds: number) =>
      importLog(`
      5 0 ${act("SIGUSR1", "0x401", "SA_RESTORER|SA_RESTART")}
      5 1 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0 <0.000010>
      5 2 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=${seconds}, tv_usec=0}, 16) = 0 <0.000010>
      5 3 ${THREAD} = 6 <0.000100>
      5 4 recvfrom(4,  <unfinished ...>
      6 304 tgkill(5, 5, SIGUSR1) = 0 <0.000010>
      5 304.1 <... recvfrom resumed>0x7ffc, 1, 0, NULL, NULL) = ${seconds > 0 ? "-1 EINTR (Interrupted system call)" : "? ERESTARTSYS (To be restarted if SA_RESTART is set)"} <0.300100>
      5 304.2 ${told("SIGUSR1", "SI_TKILL", 5)}
      5 304.3 ${sigreturn(seconds > 0 ? "-1 EINTR (Interrupted system call)" : "45")}
      ${seconds > 0 ? "" : '5 304.4 recvfrom(4, "x", 1, 0, NULL, NULL) = 1 <0.100000>'}
      5 500 exit_group(0) = ?
      5 500.1 +++ exited with 0 +++`);
    const last = (log: Log, stack: "native-linux" | "gramine-linux") => said(log, stack).at(-1);
    expect([last(logOf(1), "native-linux"), last(logOf(0), "native-linux")]).toEqual(["read -EINTR", "read 1"]);
    expect(handled(runScenario(logOf(1).parsed, "native-linux"))).toEqual(["SIGUSR1"]);
  });

  test("follows its descriptor: into a child, under another number, and not after it was closed", () => {
    const log = importLog(`
      5 0 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.000010>
      5 1 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=0}, 16) = 0 <0.000010>
      5 2 dup2(3, 7) = 7 <0.000010>
      5 3 close(3) = 0 <0.000010>
      5 4 ${FORK} = 106 <0.000100>
      5 5 recvfrom(7, 0x7ffc, 1, 0, NULL, NULL) = ${EAGAIN} <1.000100>
      106 6 recvfrom(7, 0x7ffc, 1, MSG_DONTWAIT, NULL, NULL) = ${EAGAIN} <0.000010>
      106 7 recvfrom(7, 0x7ffc, 1, 0, NULL, NULL) = ${EAGAIN} <1.000100>
      5 1010 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.000010>
      5 1011 recvfrom(3, "x", 1, 0, NULL, NULL) = 1 <0.100000>`);
    const reads = (program: readonly { op: string; from?: unknown }[]) =>
      program.flatMap((item) => (item.op === "read" ? [item.from] : []));
    const name = Object.keys(log.parsed.objects)[0];
    expect(reads(log.parsed.main)).toEqual([name, undefined]);
    expect(reads(log.parsed.programs["process-106"] ?? [])).toEqual([undefined, name]);
    expect(said(log, "native-linux", "process-106")).toEqual(["read -EAGAIN", "read -EAGAIN"]);
  });
});

describe("masks and times", () => {
  const bad = (page: string) => `
    5 0 mmap(NULL, 8192, ${page}, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f4198543000 <0.000010>
    5 1 rt_sigprocmask(SIG_BLOCK, [USR1], 0x7f4198544000, 8) = -1 EFAULT (Bad address) <0.000010>
    5 2 rt_sigprocmask(SIG_BLOCK, NULL, [USR1], 8) = 0 <0.000010>
    5 3 exit_group(0) = ?
    5 3.1 +++ exited with 0 +++`;

  test("an old mask that cannot be written: Linux has changed the mask all the same, Gramine dies of it (B12)", () => {
    const log = importLog(bad("PROT_READ"));
    const ran = runScenario(log.parsed, "native-linux");
    expect(results(ran)).toEqual(["call 139919705255936", "sigprocmask -EFAULT", "sigprocmask 0"]);
    expect(rowsOf(ran, { what: "app.output" }).map(({ value }) => value)).toContain(1 << 9);
    expect(rowsOf(runScenario(log.parsed, "gramine-linux"), { what: "process.exit" }).map(({ value }) => value)).toEqual([1]);
  });

  test("of a page that nobody knows, or that was made writable, the answer is kept", () => {
    const again = bad("PROT_READ").replace("5 1 rt", "5 0.5 mprotect(0x7f4198544000, 4096, PROT_READ|PROT_WRITE) = 0 <0.000010>\n5 1 rt");
    for (const log of [importLog(bad("PROT_NONE")), importLog(again)]) {
      expect(opaque(log)).toContain("rt_sigprocmask");
      expect(said(log, "gramine-linux")).toContain("call -EFAULT");
    }
  });

  test("what is left of a sleep that a signal from outside ended", () => {
    const log = importLog(`
      5 0 ${act("SIGTERM", "0x401")}
      5 1 nanosleep({tv_sec=3, tv_nsec=0}, {tv_sec=2, tv_nsec=600000000}) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.400000>
      5 401.1 ${told("SIGTERM", "SI_USER", 4)}
      5 401.2 ${sigreturn("-1 EINTR (Interrupted system call)")}
      5 401.3 exit_group(0) = ?
      5 401.4 +++ exited with 0 +++`);
    const rest = (stack: "native-linux" | "gramine-linux") =>
      rowsOf(runScenario(log.parsed, stack), { what: "app.output" }).map(({ value }) => Math.round(value / 1e8));
    expect(rest("native-linux")).toEqual([26]);
    // Nobody tells Gramine of it: it sleeps for three seconds in all.
    const inside = runScenario(log.parsed, "gramine-linux");
    expect(results(inside)).toEqual(["sigaction 0", "nanosleep 0"]);
    expect(Math.round((rowsOf(inside, { what: "process.exit" })[0]?.time ?? 0) / 1e9)).toBe(3);
  });
});

describe("what a program asks", () => {
  const outputs = (log: Log, stack: "native-linux" | "gramine-linux", who = "main"): string[] =>
    rowsOf(runScenario(log.parsed, stack), { what: "app.output", who }).map(({ value, extra }) => `${extra}: ${value}`);

  test("which action a signal has", () => {
    const log = importLog(`
      5 0 ${act("SIGUSR2", "SIG_IGN")}
      5 1 rt_sigaction(SIGUSR2, NULL, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, 8) = 0 <0.000010>
      5 2 rt_sigaction(SIGUSR1, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0 <0.000010>
      5 3 rt_sigaction(SIGUSR1, NULL, NULL, 8) = 0 <0.000010>
      5 4 rt_sigaction(SIGKILL, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0 <0.000010>`);
    // Nobody makes anything of what SIGKILL does, where it is not told.
    expect(opaque(log)).toEqual(["rt_sigaction"]);
    for (const stack of ["native-linux", "gramine-linux"] as const) {
      expect(said(log, stack)).toEqual([...Array(4).fill("sigaction 0"), "call 0"]);
      expect(outputs(log, stack)).toEqual(["9: 1", "9: 0"]);
    }
  });

  test("which alternate stack there is: a child of Gramine has none (B13)", () => {
    const STACK = "{ss_sp=0x408040, ss_flags=0, ss_size=65536}";
    const log = importLog(`
      5 0 sigaltstack(${STACK}, NULL) = 0 <0.000010>
      5 1 sigaltstack({ss_sp=0x1, ss_flags=0, ss_size=100}, 0x7ffc) = -1 ENOMEM (Cannot allocate memory) <0.000010>
      5 2 ${FORK} = 106 <0.000100>
      106 3 sigaltstack(NULL, ${STACK}) = 0 <0.000010>
      106 4 exit_group(0) = ?
      106 4.1 +++ exited with 0 +++`);
    expect(opaque(log)).toEqual([]);
    expect(said(log, "native-linux")).toEqual(["sigaltstack 0", "sigaltstack -ENOMEM", "fork 2"]);
    expect(outputs(log, "native-linux", "process-106")).toEqual(["13: 65536", "14: 0"]);
    expect(outputs(log, "gramine-linux", "process-106")).toEqual(["13: 0", "14: 2"]);
  });

  test("which division a SIGFPE is about", () => {
    const log = importLog(`
      5 0 ${act("SIGFPE", "0x401", "SA_RESTORER|SA_SIGINFO")}
      5 1 --- SIGFPE {si_signo=SIGFPE, si_code=FPE_FLTDIV, si_addr=0x1000} ---
      5 1.1 ${sigreturn()}
      5 2 --- SIGFPE {si_signo=SIGFPE, si_code=FPE_INTDIV, si_addr=0x1000} ---
      5 2.1 ${sigreturn()}
      5 3 exit_group(0) = ?
      5 3.1 +++ exited with 0 +++`);
    const codes = (stack: "native-linux" | "gramine-linux") =>
      rowsOf(runScenario(log.parsed, stack), { what: "app.siginfo" }).map(({ value }) => value);
    expect([codes("native-linux"), codes("gramine-linux")]).toEqual([
      [3, 1],
      [1, 1],
    ]);
  });
});

describe("an ignored signal that strace has let through to a call", () => {
  const logOf = (call: string, next: string) =>
    importLog(`
      5 0 ${THREAD} = 6 <0.000100>
      5 1 ${call}) = -1 EINTR (Interrupted system call) <0.009100>
      6 10 tgkill(5, 5, SIGWINCH) = 0 <0.000010>
      5 10.1 ${told("SIGWINCH", "SI_TKILL", 5)}
      5 11 ${next}
      5 300 exit_group(0) = ?
      5 300.1 +++ exited with 0 +++`);

  test.each([
    ["epoll_wait(3, 0x7ffc, 1, 200", "epoll_wait 0", "epoll_wait 0"],
    ["epoll_pwait(3, 0x7ffc, 1, 200, NULL, 8", "epoll_wait 0", "epoll_wait 0"],
    ["rt_sigtimedwait([USR2], NULL, {tv_sec=0, tv_nsec=200000000}, 8", "rt_sigtimedwait -EAGAIN", "rt_sigtimedwait -EINTR"],
  ])("%s: it goes on until its time is over", (call, linux, inside) => {
    const log = logOf(call, "getpid() = 5 <0.000010>");
    expect(log.counters.find(({ name }) => name === "strace.note.woken-by-strace")?.count).toBe(1);
    expect([said(log, "native-linux").at(-2), said(log, "gramine-linux").at(-2)]).toEqual([linux, inside]);
  });

  test.each([
    ["without a limit", "epoll_wait(3, 0x7ffc, 1, -1", "getpid() = 5 <0.000010>", "getpid 1"],
    ["called again by the program", "epoll_wait(3, 0x7ffc, 1, 200", "epoll_wait(3, [], 1, 190) = 0 <0.190000>", "epoll_wait 0"],
  ])("%s: the log's answer is kept", (_, call, next, last) => {
    const log = logOf(call, next);
    expect(log.counters.some(({ name }) => name === "strace.note.woken-by-strace")).toBe(false);
    expect(said(log, "native-linux")).toEqual(["clone 2", "call -EINTR", last]);
  });
});

describe("a handler that is left by siglongjmp", () => {
  const LEFT = "5 10 rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0 <0.000010>\n5 11 exit_group(7) = ?\n5 11.1 +++ exited with 7 +++";
  const ended = (log: Log, stack: "native-linux" | "gramine-linux"): number[] =>
    rowsOf(runScenario(log.parsed, stack), { what: "process.exit" }).map(({ value }) => value);

  test.each([
    ["as a call ends that sent the signal", `5 1 kill(5, SIGUSR1) = 0 <0.000010>\n5 1.1 ${told("SIGUSR1", "SI_USER", 5)}`],
    [
      "as a call ends that let the signal in",
      `5 0.5 rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0 <0.000010>\n5 0.7 kill(5, SIGUSR1) = 0 <0.000010>
       5 1 rt_sigprocmask(SIG_UNBLOCK, [USR1], NULL, 8) = 0 <0.000010>\n5 1.1 ${told("SIGUSR1", "SI_USER", 5)}`,
    ],
    ["while the thread computes", `6 5 tgkill(5, 5, SIGUSR1) = 0 <0.000010>\n5 5.1 ${told("SIGUSR1", "SI_TKILL", 5)}`],
  ])("%s: the program goes on after it", (_, lines) => {
    const log = importLog(`5 0 ${act("SIGUSR1", "0x401")}\n5 0.1 ${THREAD} = 6 <0.000100>\n${lines}\n${LEFT}`);
    for (const stack of ["native-linux", "gramine-linux"] as const) {
      expect(handled(runScenario(log.parsed, stack))).toEqual(["SIGUSR1"]);
      expect(ended(log, stack)).toEqual([7]);
    }
  });
});

describe("signals that came to a thread of several", () => {
  test("for the process, taken by another thread than the first: on Linux that one again, elsewhere as the stack has it (B3)", () => {
    const log = importLog(`
      5 0 ${act("SIGTERM", "0x401")}
      5 1 ${THREAD} = 6 <0.000100>
      5 2 exit(0) = ?
      6 3 read(3,  <unfinished ...>
      6 10 <... read resumed>0x7ffc, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.006900>
      6 10.1 ${told("SIGTERM", "SI_USER", 4)}
      6 10.2 ${sigreturn("-1 EINTR (Interrupted system call)")}
      6 11 exit_group(7) = ?
      6 11.1 +++ exited with 7 +++
      5 11.2 +++ exited with 7 +++`);
    expect(said(log, "native-linux", "thread-6")).toEqual(["read -EINTR"]);
    const inside = runScenario({ ...log.parsed, options: ["sigterm-injection"] }, "gramine-linux");
    // The first thread, which is only waiting for the others, takes it, and nobody is woken.
    expect([handled(inside), results(inside, "thread-6"), rowsOf(inside, { what: "process.exit" })]).toEqual([[], [], []]);
  });

  test("an overflow of the stack, on the alternate one: for Gramine the guard page is a mapping", () => {
    const log = importLog(`
      5 0 execve("./prog", ["./prog"], 0x1 /* 3 vars */) = 0 <0.000100>
      5 1 sigaltstack({ss_sp=0x56020000, ss_flags=SS_ONSTACK, ss_size=65536}, NULL) = 0 <0.000010>
      5 2 ${act("SIGSEGV", "0x401", "SA_RESTORER|SA_ONSTACK|SA_SIGINFO")}
      5 3 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x7ffe34fcaff8} ---
      5 4 exit_group(3) = ?
      5 4.1 +++ exited with 3 +++`);
    const codes = (stack: "native-linux" | "gramine-linux", fixes: "sigaltstack-ss-onstack"[] = []) =>
      rowsOf(runScenario(log.parsed, stack, { fixes }), { what: "app.siginfo" }).map(({ value }) => value);
    expect(codes("native-linux")).toEqual([1]);
    expect(codes("gramine-linux", ["sigaltstack-ss-onstack"])).toEqual([2]);
    // SS_ONSTACK is none of its flags (B29): there is no other stack, and the frame finds no room.
    expect(said(log, "gramine-linux")).toContain("sigaltstack -EINVAL");
    expect(codes("gramine-linux")).toEqual([]);
  });
});
