/**
 * wait4 and waitid (gramine-today.md 7.4; libos_wait.c), and what becomes of a child that has ended (7.3; libos_process.c). A wait that a
 * signal ends leaves by the unlock of a lock that it does not hold (B1), and looks for signals before it looks for zombies (B9).
 */

import { E, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow, Mark, Step } from "../../../flow.ts";
import { ANY, GROUP } from "../../../host/children.ts";
import { OUT, tell } from "../../../host/outputs.ts";
import { childInfo, SI } from "../../../siginfo.ts";
import { SIG } from "../../../signals.ts";
import { SA_NOCLDWAIT } from "../../../state.ts";
import type { WaitArgs } from "../../../syscalls.ts";
import { forgetProcess } from "../../../threads.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { type Child, SIG_IGN } from "../state.ts";
import { answer } from "./answer.ts";
import { CORE_DUMP } from "./default-action.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { CHILDREN_LOCK } from "./names.ts";
import { copyOut } from "./outputs.ts";

/** CLD_DUMPED. */
const DUMPED = 3;

const processOf = (c: Cpu) => c.process(c.t).libos;

/** P_PGID matches nothing. */
const matches = (child: Child, v: WaitArgs): boolean => v.object !== GROUP && (v.object === ANY || child.process === v.object);

/** What wait4 writes: the exit code, or the signal with the bit of a core dump. */
const statusOf = ({ exitCode, termSignal }: Child): number => (termSignal === 0 ? (exitCode & 0xff) << 8 : termSignal);

const findZombie = (c: Cpu, v: WaitArgs): Child | undefined => {
  const meant = processOf(c).zombies.filter((child) => matches(child, v));
  return meant.find(({ process }) => process === v.finds) ?? meant[0];
};

/** The zombie that was added last comes first, as LISTP_ADD puts it at the head; what a log's kernel found wins. */
function reap(c: Cpu, v: WaitArgs): boolean {
  const { zombies } = processOf(c);
  const child = findZombie(c, v);
  if (!child) return false;
  v.ret = child.pid;
  v.status = statusOf(child);
  c.value = child.pid;
  if (v.keep) return true;
  zombies.splice(zombies.indexOf(child), 1);
  const p = c.m.processes[child.process];
  if (p) {
    p.reaped = true;
    forgetProcess(c, p);
  }
  return true;
}

interface Waiting {
  /** It takes the lock before the common unlock. */
  readonly relocks: boolean;
  /** It looks for zombies before it leaves for a signal. */
  readonly looksAgain: boolean;
}

/** do_waitid. Its answer is the pid; 0 with WNOHANG. */
const doWaitid = ({ relocks, looksAgain }: Waiting): Flow =>
  flow<WaitArgs>(LIBOS.do_waitid, "libos", "7.4 W1-W6", (s) => [
    s.at("again"),
    s.call("lock(children_lock)", LIBOS.lock, () => ({ name: CHILDREN_LOCK })),
    s.test("a zombie matches?", reap, "out"),
    s.test("no child matches: -ECHILD", (c, v) => !processOf(c).children.some((child) => matches(child, v)), "none"),
    s.test("WNOHANG: 0", (_, v) => v.bytes === 1, "nohang"),
    s.act("on wait_queue, in_use", (c) => {
      processOf(c).waitQueue.unshift(c.t.id);
      c.t.libos.waiting = true;
    }),
    s.call("unlock(children_lock)", LIBOS.unlock, () => ({ name: CHILDREN_LOCK })),
    s.call("thread_prepare_wait()", LIBOS.thread_prepare_wait),
    s.test("not in_use any more?", (c) => !c.t.libos.waiting, "restart"),
    s.call("thread_wait(NULL, false)", LIBOS.thread_wait, () => ({ timeout: NEVER, ignorePending: false })),
    s.act("ret = -ERESTARTSYS", (_, v) => {
      v.ret = LIBOS_RESTART.SYS;
    }),
    s.call("remove_qnode_from_wait_queue", LIBOS.remove_qnode_from_wait_queue),
    s.call("have_pending_signals()", LIBOS.have_pending_signals),
    s.test("none: look again", (c) => c.t.rax === 0, "again"),
    looksAgain ? s.test("a zombie matches by now?", (c, v) => findZombie(c, v) !== undefined, "again") : null,
    s.jump("leave", "leave"),
    s.at("restart"),
    s.act("ret = -ERESTARTSYS", (_, v) => {
      v.ret = LIBOS_RESTART.SYS;
    }),
    s.at("leave"),
    relocks ? s.call("lock(children_lock)", LIBOS.lock, () => ({ name: CHILDREN_LOCK })) : null,
    s.jump("out", "goto out"),
    s.at("none"),
    s.act("ret = -ECHILD", (_, v) => {
      v.ret = E.CHILD;
    }),
    s.jump("out", "leave"),
    s.at("nohang"),
    s.act("ret = 0", (_, v) => {
      v.ret = 0;
    }),
    s.at("out"),
    s.call("out: unlock(children_lock)", LIBOS.unlock, () => ({ name: CHILDREN_LOCK })),
    s.ret("return", (c, v) => {
      c.t.rax = v.ret;
      c.t.rdi = v.status;
      c.value = v.ret;
    }),
  ]);

/** Whoever has taken the thread off the queue is about to wake it: it waits for that. */
const removeNode = flow<{ seen: boolean }>(LIBOS.remove_qnode_from_wait_queue, "libos", "7.4 W5", (s) => [
  s.own({ seen: false }),
  s.call("lock(children_lock)", LIBOS.lock, () => ({ name: CHILDREN_LOCK })),
  s.act("off wait_queue", (c, v) => {
    const { waitQueue } = processOf(c);
    const at = waitQueue.indexOf(c.t.id);
    v.seen = at >= 0;
    if (v.seen) {
      waitQueue.splice(at, 1);
      c.t.libos.waiting = false;
    }
    c.value = v.seen ? 1 : 0;
  }),
  s.call("unlock(children_lock)", LIBOS.unlock, () => ({ name: CHILDREN_LOCK })),
  s.test("it was there?", (_, v) => v.seen, "done"),
  s.at("again"),
  s.call("thread_prepare_wait()", LIBOS.thread_prepare_wait),
  s.test("not in_use any more?", (c) => !c.t.libos.waiting, "done"),
  s.call("thread_wait(NULL, true)", LIBOS.thread_wait, () => ({ timeout: NEVER, ignorePending: true })),
  s.jump("again", "look again"),
  s.at("done"),
  s.ret(),
]);

interface Marked {
  process: number;
  code: number;
  signal: number;
  found: boolean;
  pid: number;
  wake: readonly number[];
}

const mark =
  (reaps: boolean) =>
  (c: Cpu, v: Marked): void => {
    const libos = processOf(c);
    const at = libos.children.findIndex(({ process }) => process === v.process);
    const child = libos.children[at];
    v.found = child !== undefined;
    if (!child) return;
    v.pid = child.pid;
    c.value = child.pid;
    libos.children.splice(at, 1);
    if (reaps && reapsItself(c)) {
      const p = c.m.processes[child.process];
      if (p) p.reaped = true;
    } else libos.zombies.unshift({ process: child.process, pid: child.pid, exitCode: v.code, termSignal: v.signal });
    v.wake = [...libos.waitQueue];
    libos.waitQueue.splice(0);
  };

/** SIGCHLD is ignored by choice, or SA_NOCLDWAIT is set. */
function reapsItself(c: Cpu): boolean {
  const action = processOf(c).actions[SIG.CHLD];
  return action !== undefined && (action.flow === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0);
}

/** CLD_EXITED, CLD_KILLED or CLD_DUMPED. */
function infoOf(v: Marked) {
  if (v.signal === 0) return childInfo(SI.CLD_EXITED, v.pid, v.code);
  return (v.signal & CORE_DUMP) !== 0 ? childInfo(DUMPED, v.pid, v.signal & ~CORE_DUMP) : childInfo(SI.CLD_KILLED, v.pid, v.signal);
}

/** It always becomes a zombie (B19). SIGCHLD is sent with the lock held. The waiters are woken afterwards, without a SIGCONT. */
const markExited = (reaps: boolean): Flow =>
  flow<Marked>(LIBOS.mark_child_exited, "libos", "7.3", (s) => [
    s.own({ found: false, pid: 0, wake: [] }),
    s.call("lock(children_lock)", LIBOS.lock, () => ({ name: CHILDREN_LOCK })),
    s.act("from children to zombies; the wait queue is taken", mark(reaps)),
    s.test("nobody of that number?", (_, v) => !v.found, "unknown"),
    s.call("kill_current_proc(SIGCHLD)", LIBOS.kill_current_proc, (c, v) => ({ info: infoOf(v), id: c.newSignalId() })),
    s.at("unknown"),
    s.call("unlock(children_lock)", LIBOS.unlock, () => ({ name: CHILDREN_LOCK })),
    s.at("next"),
    s.test("nobody left to wake?", (_, v) => v.wake.length === 0, "done"),
    s.act("in_use := false", (c, v) => {
      const t = c.m.threads[v.wake[0] ?? -1];
      if (t) t.libos.waiting = false;
      c.value = v.wake[0] ?? -1;
    }),
    s.call("thread_wakeup(thread)", LIBOS.thread_wakeup, (_, v) => {
      const [target = -1, ...rest] = v.wake;
      v.wake = rest;
      return { target };
    }),
    s.jump("next", "next one"),
    s.at("done"),
    s.ret("return", (c) => {
      c.t.rax = 0;
    }),
  ]);

const result = (s: Steps<WaitArgs>, give: (v: WaitArgs) => number): (Step | Mark)[] => [
  s.act("the pid and the status", (c, v) => {
    v.ret = c.t.rax;
    if (v.ret > 0) tell(v, OUT.status, c.t.rdi);
  }),
  ...copyOut(s),
  s.act("the result", (c, v) => {
    c.t.rax = v.ret > 0 ? give(v) : v.ret;
  }),
  answer(s),
];

const wait4 = flow(SYSCALL_FLOWS.wait4, "libos", "7.4", (s) => [
  s.call("do_waitid", LIBOS.do_waitid, (_, v) => v),
  ...result(s, (v) => v.ret),
]);

/** Without WEXITED: -EINVAL. */
const waitid = flow(SYSCALL_FLOWS.waitid, "libos", "7.4", (s) => [
  s.test("no WEXITED: -EINVAL", (_, v) => !v.exited, "invalid"),
  s.call("do_waitid", LIBOS.do_waitid, (_, v) => v),
  ...result(s, () => 0),
  s.at("invalid"),
  s.act("-EINVAL", (c) => {
    c.t.rax = E.INVAL;
  }),
  answer(s),
]);

export const wait4Flows = (fixes: Waiting & { reaps: boolean }): Flow[] => [
  doWaitid(fixes),
  removeNode,
  markExited(fixes.reaps),
  wait4,
  waitid,
];
