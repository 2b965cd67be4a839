/**
 * Small programs that were run on a real Linux, as scenarios: what a run on native-linux tells must be what that kernel told. Each line is
 * written from the program's answer there, in the words of `story`; the strace logs beside cannot say masks and times.
 */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseScenario } from "../../engine/index.ts";
import { handled, type Ran, results, runScenario } from "../support/run-scenario.ts";
import { storyLine as line } from "../support/story-line.ts";

const FOLDER = new URL("../fixtures/gramine/", import.meta.url);

const run = (name: string): Ran =>
  runScenario(parseScenario(readFileSync(new URL(`${name}.yaml`, FOLDER), "utf8"), `${name}.yaml`), "native-linux");

const USR1 = "SIGUSR1 SI_TKILL from main blocked [USR1]";
const ALRM = "SIGALRM SI_KERNEL blocked [ALRM]";

/** By program, by thread. */
const LINUX: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  b04_sigterm_starved: { main: "kill 0; pause -EINTR after 400 ms, SIGTERM SI_USER blocked [USR1 TERM]; exit 0" },
  b04b_sigterm_starved_thread: {
    main:
      "tgkill 0; nanosleep -EINTR after 400 ms, rem 2600 ms, SIGTERM SI_USER blocked [USR1 TERM]; sigpending 0, pending [USR1]; " +
      `sigprocmask 0, ${USR1}; exit 0`,
  },
  b08_mask_replaced: {
    main: "kill 0, SIGUSR1 SI_USER from main blocked [USR1 USR2] {kill 0; getpid 1}; sigprocmask 0, old [USR2]; exit 0",
  },
  b09_wait4_eintr: {
    main: "fork child; wait4 child after 300 ms, exit 5, SIGCHLD code 1 from child status 5 blocked [CHLD]; exit 0",
  },
  b10_ignored_ends_sleep: { main: "fork child; nanosleep 0 after 1500 ms; exit 0", child: "nanosleep 0 after 300 ms; exit 0" },
  b10b_winch_ends_sleep: { main: "nanosleep 0 after 1500 ms; exit 0", worker: "nanosleep 0 after 300 ms; tgkill 0" },
  b11_sigsuspend_ignored: { main: `sigsuspend -EINTR after 900 ms, ${USR1}; exit 0` },
  b11b_sigtimedwait_ignored: { main: "rt_sigtimedwait -EAGAIN after 1200 ms; exit 0" },
  b15_poll_starts_over: { main: "poll 0 after 500 ms; exit 0" },
  b15b_epoll_starts_over: { main: "epoll_wait 0 after 500 ms; exit 0" },
  b15c_futex_starts_over: { main: "futex_wait -ETIMEDOUT after 500 ms; exit 0" },
  b16_futex_restart: { main: `futex_wait -EINTR after 300 ms, ${USR1}; exit 0` },
  b17b_sigpipe_handler: {
    main: "futex_wait 0 after 300 ms; exit 0",
    writer: "write -EPIPE; nanosleep 0 after 300 ms; sigprocmask 0, SIGPIPE SI_USER from main blocked [PIPE]; futex_wake 1",
  },
  b19_zombie_ignored: { main: "fork child; wait4 -ECHILD after 200 ms; exit 0" },
  b19b_zombie_nocldwait: {
    main: "fork child; wait4 -ECHILD after 200 ms, SIGCHLD code 1 from child status 3 blocked [CHLD]; exit 0",
  },
  b23b_frame_bad_stack_direct: { main: "killed by SIGSEGV" },
  b25_getitimer_stale: {
    main: "setitimer 0; alarm 5; getitimer 0, left 2000 ms, interval 0 ms; alarm 2; getitimer 0, left 0 ms, interval 0 ms; exit 0",
  },
  b27_group_kill: {
    main: "fork leader; wait4 leader after 600 ms, exit 0; exit 0",
    leader:
      "fork first; read 1; kill 0, SIGUSR1 SI_USER from leader blocked [USR1]; nanosleep 0 after 200 ms; " +
      "kill 0, SIGUSR1 SI_USER from leader blocked [USR1]; nanosleep 0 after 200 ms; wait4 first, exit 0; " +
      "fork second; read 1; kill 0; nanosleep 0 after 200 ms; wait4 second, exit 0; kill -ESRCH; exit 0",
    first: "read 1 after 400 ms, SIGUSR1 SI_USER from leader blocked [USR1], SIGUSR1 SI_USER from leader blocked [USR1]; exit 0",
    second: "read 1 after 200 ms, SIGUSR1 SI_USER from leader blocked [USR1]; exit 0",
  },
  b28_int3: { main: "SIGTRAP SI_KERNEL blocked [TRAP]; exit 0" },
  s01_read_eintr: { main: `read -EINTR after 300 ms, ${USR1}; exit 0` },
  // Of the two that wait the one delivered last runs first, and both under the empty mask of the call.
  s03_sigsuspend: {
    main:
      "sigsuspend -EINTR after 300 ms, SIGUSR1 SI_TKILL from main blocked [HUP USR1 USR2] {sigprocmask 0, old [HUP USR1 USR2]}; " +
      "sigprocmask 0, old [USR1 USR2]; 2 x kill 0; sigsuspend -EINTR, SIGUSR2 SI_USER from main blocked [HUP USR1 USR2], " +
      "SIGUSR1 SI_USER from main blocked [HUP USR1] {sigprocmask 0, old [HUP USR1]}; exit 0",
  },
  s06_segv_longjmp: {
    main:
      "SIGSEGV code 1 addr 16 blocked [SEGV]; SIGSEGV code 2 addr 8200 blocked [SEGV]; SIGSEGV SI_KERNEL blocked [SEGV]; " +
      "SIGSEGV code 2 addr 8192 blocked [SEGV]; exit 0",
  },
  s07_sigchld_wait: {
    main:
      "fork exits; wait4 0; wait4 exits after 300 ms, exit 5, SIGCHLD code 1 from exits status 5 blocked [CHLD]; " +
      "fork terminated; nanosleep 0 after 200 ms; kill 0; " +
      "wait4 terminated, killed by SIGTERM, SIGCHLD code 2 from terminated status 15 blocked [CHLD]; " +
      "fork killed; nanosleep 0 after 200 ms; kill 0; " +
      "wait4 killed, killed by SIGKILL, SIGCHLD code 2 from killed status 9 blocked [CHLD]; wait4 -ECHILD; exit 0",
  },
  s08_alarm_pause: {
    main: `alarm 0; alarm 5; pause -EINTR after 1000 ms, ${ALRM}; alarm 0; nanosleep -EINTR after 1000 ms, rem 1000 ms, ${ALRM}; exit 0`,
  },
  // The first pause has half a tick to wait, which is not told.
  s09_setitimer: {
    main:
      `setitimer 0; 10 x ${ALRM}; pause -EINTR, ${ALRM}; 9 x pause -EINTR after 100 ms, ${ALRM}; ` +
      "setitimer 0, left 100 ms, interval 100 ms; setitimer 0; exit 0",
  },
  s10_ppoll_mask: {
    main:
      "kill 0; poll -EINTR, SIGUSR1 SI_USER from main blocked [USR1]; sigprocmask 0, old [USR1]; " +
      `poll -EINTR after 300 ms, ${USR1}; sigprocmask 0, old [USR1]; exit 0`,
  },
  s10b_ppoll_pending_forever: {
    main: `${["poll", "select", "epoll_wait", "sigsuspend"]
      .map((call) => `kill 0; ${call} -EINTR, SIGUSR1 SI_USER from main blocked [USR1]; `)
      .join("")}exit 0`,
  },
  s14_sigterm_injection: {
    main:
      "nanosleep -EINTR after 400 ms, rem 2600 ms, SIGTERM SI_USER blocked [TERM]; " +
      "nanosleep -EINTR after 1000 ms, rem 2000 ms, SIGTERM SI_USER blocked [TERM]; exit 0",
  },
  s14c_sigterm_noinject: { main: "nanosleep -EINTR after 400 ms, rem 2600 ms, SIGTERM SI_USER blocked [TERM]; exit 0" },
  s14d_sigterm_busy: { main: "SIGTERM SI_USER blocked [TERM]; exit 0" },
  s16_fork_exec_disp: {
    main:
      "kill 0; fork child; wait4 child, exit 0; execve 0; sigpending 0, pending [HUP]; sigaction 0, was default; " +
      "sigaction 0, was ignore; sigaction 0, was default; sigprocmask 0, old [HUP]; exit 0",
    child: "sigpending 0, pending []; sigaction 0, was handler; sigaction 0, was ignore; sigprocmask 0, old [HUP]; exit 0",
  },
  s18_fpe_ill: {
    main: "SIGFPE code 1 addr 4096 blocked [FPE]; SIGILL code 2 addr 8192 blocked [ILL]; SIGSEGV SI_KERNEL blocked [SEGV]; exit 0",
  },
  s24_altstack_rules: { main: "kill 0, SIGUSR1 SI_USER from main blocked [USR1] {sigaltstack -EPERM}; exit 0" },
  s25_restart_classes: {
    main:
      ["nanosleep", "pause", "rt_sigtimedwait", "poll"]
        .map((call) => `${call} -EINTR after 300 ms, ${USR1}; read 1 after 300 ms; `)
        .join("") +
      `futex_wait 0 after 600 ms, ${USR1}; read 1; epoll_wait -EINTR after 300 ms, ${USR1}; read 1 after 300 ms; ` +
      `read 1 after 600 ms, ${USR1}; fork child; wait4 child after 900 ms, ${USR1}, exit 0; exit 0`,
  },
  b13_fork_altstack: {
    main: "fork child; wait4 child, exit 0; exit 0",
    child: "SIGSEGV code 1 addr 4096 blocked [SEGV]; exit 0",
  },
  s13_kill_parent_child: {
    main:
      "fork child; nanosleep 0 after 100 ms; kill 0; nanosleep -EINTR, SIGUSR1 SI_USER from child blocked [USR1]; 2 x kill 0; " +
      "wait4 child, exit 11; kill -ESRCH; exit 0",
    child: "pause -EINTR after 100 ms, SIGUSR1 SI_USER from main blocked [USR1]; kill 0; exit 11",
  },
  s22_thread_exit_main: { main: "", worker: "nanosleep 0 after 300 ms; tgkill 0; exit 9" },
  b12_oldset_readonly: { main: "sigprocmask -EFAULT; sigprocmask 0, old [USR1]; exit 0" },
  s17_nosupport: {
    main:
      "signalfd 3; timerfd_create 4; timer_create 0; rt_sigqueueinfo 0; rt_tgsigqueueinfo 0; pidfd_open 5; 2 x sigprocmask -EINVAL; setitimer 0; " +
      "sigsuspend -EFAULT; exit 0",
  },
  s27_rcvtimeo: {
    main: `2 x setsockopt 0; read -EAGAIN after 1000 ms; read -EINTR after 300 ms, ${USR1}; read -EAGAIN after 1000 ms; exit 0`,
  },
  s26_two_signals_one_read: {
    main: `read -EINTR after 500 ms, ${USR1}, SIGUSR2 SI_TKILL from main blocked [USR2]; exit 0`,
  },
};

/** Programs that are told in part: what of their answer no scenario can say. */
const UNSAID: Readonly<Record<string, string>> = {
  s10_ppoll_mask: "the rest of ppoll's time-out, which the operation does not write",
  b13_fork_altstack: "what sigaltstack says of the old stack; that it is used is told",
  s13_kill_parent_child: "a signal number that does not exist",
  s22_thread_exit_main: "a thread id that does not exist",
  s18_fpe_ill: "a division by zero of floating point",
  s24_altstack_rules: "what sigaltstack says of the old stack, and uc_stack",
};

describe("programs that a real Linux has run", () => {
  for (const [name, threads] of Object.entries(LINUX))
    it(`${name}: ${threads.main}${name in UNSAID ? ` (unsaid: ${UNSAID[name]})` : ""}`, () => {
      const ran = run(name);
      expect(Object.fromEntries(Object.keys(threads).map((who) => [who, line(ran, who)]))).toEqual(threads);
    });

  it("s23_signal_before_wait: 200 rounds, 200 handlers, each round has its byte", () => {
    const ran = run("s23_signal_before_wait");
    expect(handled(ran, "main")).toHaveLength(200);
    expect(results(ran).filter((text) => text === "read 1")).toHaveLength(200);
    expect(line(ran, "main")).toMatch(/exit 0$/);
  });

  it("s14d_sigterm_busy: the loop is left when the signal comes, not at its end after 6 s", () => {
    const [end] = run("s14d_sigterm_busy").rows.filter((row) => row.what === "process.exit");
    expect(Math.round((end?.time ?? 0) / 1e8)).toBe(4);
  });

  it("each log has its scenario here", () => {
    const named = readdirSync(FOLDER)
      .filter((file) => file.endsWith(".strace.gz"))
      .map((file) => file.replace(".strace.gz", ""));
    expect([...Object.keys(LINUX), "s23_signal_before_wait"].sort()).toEqual(named.sort());
  });
});
