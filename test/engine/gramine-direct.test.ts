/**
 * The same small programs as a real Gramine ran them (ff71d7afe, gramine-direct, musl; SIGTERM injection on unless the name says "noinject"):
 * what a run on gramine-linux tells must be what it answered. Each line was compared with the program's answer there; the programs and
 * their answers on Linux are those of `gramine-programs.test.ts`.
 */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseScenario } from "../../engine/index.ts";
import { GRAMINE_LINUX } from "../support/gramine.ts";
import { handled, type Ran, results, runScenario } from "../support/run-scenario.ts";
import { storyLine as line } from "../support/story-line.ts";

const FOLDER = new URL("../fixtures/gramine/", import.meta.url);

function run(name: string): Ran {
  const scenario = parseScenario(readFileSync(new URL(`${name}.yaml`, FOLDER), "utf8"), `${name}.yaml`);
  return runScenario({ ...scenario, options: name.includes("noinject") ? [] : ["sigterm-injection"] }, GRAMINE_LINUX);
}

const USR1 = "SIGUSR1 SI_TKILL from main blocked [USR1]";
const ALRM = "SIGALRM SI_USER from main blocked [ALRM]";

/** By program, by thread. A program that never ends tells nothing at its end: there the real one was stopped after 14 s. */
const GRAMINE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  b04_sigterm_starved: {
    main: "kill 0",
  },
  b04b_sigterm_starved_thread: {
    main:
      "tgkill 0; nanosleep 0 after 3000 ms; sigpending 0, pending [USR1]; " +
      `sigprocmask 0, ${USR1}, SIGTERM SI_USER blocked [TERM]; exit 0`,
  },
  b08_mask_replaced: {
    main:
      "kill 0, SIGUSR1 SI_USER from main blocked [USR1] {kill 0, SIGUSR2 SI_USER from main blocked [USR2]; getpid 1}; " +
      "sigprocmask 0, old [USR2]; exit 0",
  },
  b09_wait4_eintr: {
    main: "fork child; wait4 -EINTR after 300 ms, SIGCHLD code 1 from child status 5 blocked [CHLD]; exit 0",
    child: "nanosleep 0 after 300 ms; exit 5",
  },
  b10_ignored_ends_sleep: {
    main: "fork child; nanosleep -EINTR after 300 ms, rem 1200 ms; exit 0",
    child: "nanosleep 0 after 300 ms; exit 0",
  },
  b10b_winch_ends_sleep: {
    main: "nanosleep -EINTR after 300 ms, rem 1200 ms; exit 0",
  },
  b11_sigsuspend_ignored: {
    main: "sigsuspend -EINTR after 300 ms; exit 0",
  },
  b11b_sigtimedwait_ignored: {
    main: "rt_sigtimedwait -EINTR after 300 ms; exit 0",
  },
  b12_oldset_readonly: {
    main: "exit 1",
  },
  b13_fork_altstack: {
    main: "fork child; wait4 child, killed by SIGPWR; exit 0",
    child: "killed by SIGSEGV",
  },
  b15_poll_starts_over: {
    main: "poll 0 after 2500 ms; exit 0",
  },
  b15b_epoll_starts_over: {
    main: "epoll_wait 0 after 2500 ms; exit 0",
  },
  b15c_futex_starts_over: {
    main: "futex_wait -ETIMEDOUT after 2500 ms; exit 0",
  },
  b16_futex_restart: {
    main: `futex_wait -ETIMEDOUT after 900 ms, ${USR1}; exit 0`,
  },
  b17b_sigpipe_handler: {
    main: "clone 2, SIGPIPE SI_USER from main blocked [PIPE]; futex_wait 0 after 300 ms; exit 0",
    writer: "write -EPIPE; nanosleep 0 after 300 ms; futex_wake 1",
  },
  b19_zombie_ignored: {
    main: "fork child; wait4 child after 200 ms, exit 3; exit 0",
    child: "nanosleep 0 after 200 ms; exit 3",
  },
  b19b_zombie_nocldwait: {
    main: "fork child; wait4 child after 200 ms, SIGCHLD code 1 from child status 3 blocked [CHLD], exit 3; exit 0",
    child: "nanosleep 0 after 200 ms; exit 3",
  },
  b23b_frame_bad_stack_direct: {
    main: "killed by SIGSEGV",
  },
  b25_getitimer_stale: {
    main: "setitimer 0; alarm 5; getitimer 0, left 5000 ms, interval 0 ms; alarm 2; getitimer 0, left 5000 ms, interval 0 ms; exit 0",
  },
  b27_group_kill: {
    main: "fork leader; wait4 leader after 600 ms, exit 0; exit 0",
    leader:
      "fork first; read 1; kill 0, SIGUSR1 SI_USER from leader blocked [USR1]; nanosleep 0 after 200 ms; " +
      "kill 0, SIGUSR1 SI_USER from leader blocked [USR1]; nanosleep 0 after 200 ms; wait4 first, exit 0; fork second; " +
      "read 1; kill -ENOSYS; nanosleep 0 after 200 ms; wait4 second, exit 0; kill -ENOSYS; exit 0",
    first: "read 1 after 400 ms; exit 0",
    second: "read 1 after 200 ms; exit 0",
  },
  b28_int3: {
    main: "killed by SIGTRAP",
  },
  s01_read_eintr: {
    main: `read -EINTR after 300 ms, ${USR1}; exit 0`,
  },
  s03_sigsuspend: {
    main:
      "sigsuspend -EINTR after 300 ms, SIGUSR1 SI_TKILL from main blocked [HUP USR1] {sigprocmask 0, old [HUP USR1]}; " +
      "sigprocmask 0, old [USR1 USR2]; 2 x kill 0; " +
      "sigsuspend -EINTR, SIGUSR1 SI_USER from main blocked [HUP USR1] {sigprocmask 0, old [HUP USR1], SIGUSR2 SI_USER from main blocked [USR2]}; " +
      "exit 0",
  },
  s06_segv_longjmp: {
    main:
      "SIGSEGV code 1 addr 16 blocked [SEGV]; SIGSEGV code 2 addr 8200 blocked [SEGV]; SIGSEGV code 1 addr 0 blocked [SEGV]; " +
      "SIGSEGV code 2 addr 8192 blocked [SEGV]; exit 0",
  },
  s07_sigchld_wait: {
    main:
      "fork exits; wait4 0; wait4 exits after 300 ms, SIGCHLD code 1 from exits status 5 blocked [CHLD], exit 5; " +
      "fork terminated; nanosleep 0 after 200 ms; kill 0; " +
      "wait4 terminated, SIGCHLD code 2 from terminated status 15 blocked [CHLD], killed by SIGTERM; fork killed; " +
      "nanosleep 0 after 200 ms; kill 0; " +
      "wait4 killed, SIGCHLD code 2 from killed status 9 blocked [CHLD], killed by SIGKILL; wait4 -ECHILD; exit 0",
    exits: "nanosleep 0 after 300 ms; exit 5",
    terminated: "exit 143",
    killed: "exit 137",
  },
  s08_alarm_pause: {
    main: `alarm 0; alarm 5; pause -EINTR after 1000 ms, ${ALRM}; alarm 0; nanosleep -EINTR after 1000 ms, rem 1000 ms, ${ALRM}; exit 0`,
  },
  s09_setitimer: {
    main:
      `setitimer 0; 10 x ${ALRM}; 10 x pause -EINTR after 100 ms, ${ALRM}; setitimer 0, left 100 ms, interval 100 ms; ` +
      "setitimer -ENOSYS; exit 0",
  },
  s10_ppoll_mask: {
    main:
      "kill 0; poll 0 after 1000 ms, SIGUSR1 SI_USER from main blocked [USR1]; sigprocmask 0, old [USR1]; " +
      `poll -EINTR after 300 ms, ${USR1}; sigprocmask 0, old [USR1]; exit 0`,
  },
  s10b_ppoll_pending_forever: {
    main:
      "kill 0; poll 0 after 2000 ms, SIGUSR1 SI_USER from main blocked [USR1]; kill 0; " +
      "select 0 after 2000 ms, SIGUSR1 SI_USER from main blocked [USR1]; kill 0; " +
      "epoll_wait -EINTR, SIGUSR1 SI_USER from main blocked [USR1]; kill 0; " +
      "sigsuspend -EINTR, SIGUSR1 SI_USER from main blocked [USR1]; exit 0",
  },
  s13_kill_parent_child: {
    main:
      "fork child; nanosleep 0 after 100 ms; kill 0; nanosleep -EINTR, SIGUSR1 SI_USER from child blocked [USR1]; " +
      "2 x kill 0; wait4 child, exit 11; kill -ESRCH; exit 0",
    child: "pause -EINTR after 100 ms, SIGUSR1 SI_USER from main blocked [USR1]; kill 0; exit 11",
  },
  s14_sigterm_injection: {
    main: "nanosleep -EINTR after 400 ms, rem 2600 ms, SIGTERM SI_USER blocked [TERM]; nanosleep 0 after 3000 ms; exit 0",
  },
  s14c_sigterm_noinject: {
    main: "nanosleep 0 after 3000 ms; exit 0",
  },
  s14d_sigterm_busy: {
    main: "SIGTERM SI_USER blocked [TERM]; exit 0",
  },
  s16_fork_exec_disp: {
    main:
      "kill 0; fork child; wait4 child, exit 0; execve 0; sigpending 0, pending [HUP]; sigaction 0, was default; " +
      "sigaction 0, was ignore; sigaction 0, was default; sigprocmask 0, old [HUP]; exit 0",
    child: "sigpending 0, pending []; sigaction 0, was handler; sigaction 0, was ignore; sigprocmask 0, old [HUP]; exit 0",
  },
  s17_nosupport: {
    main:
      "signalfd -ENOSYS; timerfd_create -ENOSYS; timer_create -ENOSYS; rt_sigqueueinfo -ENOSYS; rt_tgsigqueueinfo -ENOSYS; pidfd_open -ENOSYS; " +
      `sigaction -EINVAL; 2 x sigprocmask -EINVAL; setitimer 0; sigsuspend -EINTR after 300 ms, ${ALRM}; exit 0`,
  },
  s18_fpe_ill: {
    main: "SIGFPE code 1 addr 4096 blocked [FPE]; SIGILL code 1 addr 8192 blocked [ILL]; SIGSEGV code 1 addr 0 blocked [SEGV]; exit 0",
  },
  s22_thread_exit_main: {
    main: "exit 9",
  },
  s24_altstack_rules: {
    main: "kill 0, SIGUSR1 SI_USER from main blocked [USR1] {sigaltstack -EPERM}; exit 0",
  },
  s25_restart_classes: {
    main:
      `nanosleep -EINTR after 300 ms, ${USR1}; read 1 after 300 ms; pause -EINTR after 300 ms, ${USR1}; read 1 after 300 ms; ` +
      `rt_sigtimedwait -EINTR after 300 ms, ${USR1}; read 1 after 300 ms; poll -EINTR after 300 ms, ${USR1}; ` +
      `read 1 after 300 ms; futex_wait 0 after 600 ms, ${USR1}; read 1; epoll_wait -EINTR after 300 ms, ${USR1}; ` +
      `read 1 after 300 ms; read 1 after 600 ms, ${USR1}; fork child; wait4 child after 900 ms, ${USR1}, exit 0; exit 0`,
    child: "nanosleep 0 after 900 ms; exit 0",
  },
  s26_two_signals_one_read: {
    main: `read -EINTR after 500 ms, ${USR1}, SIGUSR2 SI_TKILL from main blocked [USR2]; exit 0`,
  },
  s27_rcvtimeo: {
    main: `setsockopt -ENOPROTOOPT; setsockopt 0; read -EAGAIN after 1000 ms; read -EINTR after 300 ms, ${USR1}`,
  },
};

describe("programs that a real Gramine has run", () => {
  for (const [name, threads] of Object.entries(GRAMINE))
    it(`${name}: ${threads.main}`, () => {
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
});
