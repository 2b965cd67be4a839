/**
 * pthread_join of glibc: a wait until the kernel, or a library OS, has put 0 into the word with the thread's tid. Whatever else ends the
 * wait, it is made again (nptl/pthread_join.c, lll_wait_tid).
 */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import { type Flow, type FlowMaker, flow, type Mark, type Step, type Steps } from "../flow.ts";
import { flow as grapheneFlow } from "../generations/graphene-2019/flow.ts";
import { callArgs } from "../host/calls.ts";
import { KERNEL } from "../host/flows.ts";
import { extended } from "../state.ts";
import type { FutexWaitArgs } from "../syscalls.ts";
import { tidWord } from "../threads.ts";
import { type Entry, LIBC } from "./flows.ts";
import { returned, shimArgs } from "./syscalls.ts";

export interface Join {
  thread: string;
  /** Where the tid is; -1: the thread has ended before. */
  word: number;
}

/** A thread of the caller's process, by its name; one that has ended is known by it, too. */
function find(c: Cpu, v: Join): void {
  const p = c.process(c.t);
  const t = c.threadsOf(p).find(({ name }) => name === v.thread);
  v.word = t ? tidWord(c, t) : -1;
  c.t.rax = t || c.threads.some(({ name, pid }) => name === v.thread && pid === p.pid) ? 0 : E.SRCH;
}

/** The word is in the thread's descriptor, which goes with the join. */
function join(c: Cpu, v: Join): void {
  if (v.word >= 0) c.freeObject(v.word);
  c.t.rax = 0;
}

const isEnded = (c: Cpu, v: Join): boolean => v.word < 0 || c.m.objects[v.word]?.level === 0;

export const futexArgs = (v: Join): FutexWaitArgs => extended(callArgs({ object: v.word }), { changed: false, tid: true });

/** How the wait is made: its step, with a mark before it where a call that is made again has to be found. */
type Maker<C extends Cpu> = { readonly flow: FlowMaker<C>; readonly futex: (s: Steps<Join, C>) => readonly (Step | Mark)[] };

export const pthreadJoin = <C extends Cpu>({ flow: declare, futex }: Maker<C>): Flow =>
  declare<Join>(LIBC.pthread_join, "app", "1.2", (s) => [
    s.act("which thread is it?", find),
    s.test("ESRCH: there is no such thread", (c) => c.t.rax < 0, "return"),
    s.at("again"),
    s.test("its tid is 0?", isEnded, "joined"),
    ...futex(s),
    s.jump("again", "look again"),
    s.at("joined"),
    s.act("joined", join),
    s.at("return"),
    s.ret("back in the application", returned, "app.return"),
  ]);

export const nativeJoin = pthreadJoin({
  flow,
  futex: (s) => [s.call("futex(FUTEX_WAIT, tid)", KERNEL["futex-wait"], (_, v) => futexArgs(v))],
});

/** The futex call is one to a LibOS. */
export const shimJoin = ({ refs, label }: Entry): Flow =>
  pthreadJoin({
    flow: grapheneFlow,
    futex: (s) => [
      s.call(`futex(FUTEX_WAIT, tid): ${label("futex_wait")}`, refs.futex_wait, (c, v) => shimArgs(c, futexArgs(v)), "libos.syscall.enter"),
    ],
  });
