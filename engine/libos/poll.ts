/** poll, select and epoll_wait (reference, 2.20; LibOS/shim/src/sys/shim_poll.c, shim_epoll.c). Interrupted or too late, they say "nothing". */

import { E } from "../errno.ts";
import { faultAt } from "../faulting.ts";
import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { type CallLocals, callArgs } from "../host/calls.ts";
import { naming } from "../naming.ts";
import { READABLE } from "../pal/calls.ts";
import { extended } from "../state.ts";
import type { PollArgs } from "../syscalls.ts";
import { NEVER } from "../time.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { getFdHandle, kindOf, lockHandle, lockMap, unlockHandle, unlockMap } from "./handles.ts";
import { answer, dk, MAY_READ_ERRNO, minusPalErrno } from "./io.ts";

/** Offset of `fs` in struct shim_handle: what is read through a NULL handle. */
const FS_OF_NULL = 0x18;

/** `takes`: what polls the outside world is one descriptor without a name. */
function begin(_: Cpu, v: PollArgs): void {
  v.fds = v.takes >= 0 ? [-1] : [...new Set(v.objects)];
  v.next = 0;
  v.rest = [];
  v.ready = [];
}

/** `object` is the descriptor that is looked at, for the steps that take its lock. */
function step(_: Cpu, v: PollArgs): boolean {
  if (v.next === v.fds.length) return true;
  v.object = v.fds[v.next] ?? -1;
  v.next += 1;
  return false;
}

const isClosed = (c: Cpu, v: PollArgs): boolean => c.process(c.t).libos.closedObjects.includes(v.object);

const hasPoll = (c: Cpu, v: PollArgs): boolean => ["pipe", "socket", "unix"].includes(kindOf(c, v.object));

/** What fs_ops->poll said: readable, or it is left for the PAL to wait for. */
function know(c: Cpu, v: PollArgs, readable: boolean): void {
  if (readable) v.ready = [...v.ready, v.object];
  else v.rest = [...v.rest, v.object];
  c.value = readable ? 1 : 0;
}

/** An int of microseconds, whatever was given: beyond 35 minutes it wraps round, and below 0 is for ever (shim_poll.c:277). */
function microseconds(timeout: number): number {
  if (timeout >= NEVER) return NEVER;
  const us = Math.floor(timeout / 1000) | 0;
  return us < 0 ? NEVER : us * 1000;
}

/** How many descriptors of the call are ready; one that it names twice counts twice. */
const counted = (v: PollArgs): number =>
  v.takes >= 0 ? (v.ready.length > 0 ? v.result : 0) : v.objects.filter((object) => v.ready.includes(object)).length;

/**
 * Each descriptor's file system is asked first, under the map's lock and the handle's; the PAL waits for those that are left, and once
 * something is known it is only asked again, without waiting, until it has nothing more (shim_poll.c:127-320). A descriptor that is not
 * open has no handle, and nobody looks (shim_poll.c:141).
 */
const poll = flow(SHIM_DO.poll, "libos", "2.20", (s) => [
  s.act("poll_handle array", begin),
  lockMap(s),
  s.at("next"),
  s.test("every descriptor asked?", step, "asked"),
  s.test("__get_fd_handle(fd) is NULL?", isClosed, "null"),
  s.test("a terminal or file: no question to the PAL?", (c, v) => !hasPoll(c, v), "plain"),
  lockHandle(s),
  dk(s, "pipe_poll, socket_poll: DkStreamAttributesQuerybyHandle", "DkStreamAttributesQuerybyHandle", (_, v) => now(v, 0)),
  s.act(
    "attr, or -PAL_ERRNO",
    (c, v) => {
      v.ret = c.t.rax > 0 ? 0 : minusPalErrno(c);
      know(c, v, c.t.rax > 0 && (c.t.rax & READABLE) !== 0);
    },
    MAY_READ_ERRNO,
  ),
  unlockHandle(s),
  s.test("an error other than EAGAIN?", (_, v) => v.ret < 0 && v.ret !== E.AGAIN, "failed"),
  s.jump("next", "next descriptor"),
  s.at("plain"),
  lockHandle(s),
  s.act("chroot_poll: a file is ready, a terminal says EAGAIN", (c, v) => know(c, v, kindOf(c, v.object) === "file")),
  unlockHandle(s),
  s.jump("next", "next descriptor"),
  s.at("null"),
  s.act("hdl->fs of NULL", (c) => faultAt(c, "memory", FS_OF_NULL), "app.fault"),
  s.at("asked"),
  unlockMap(s),
  s.act("the handles that are left, last one first", (c, v) => {
    v.rest = [...v.rest].reverse();
    v.ret = 0;
    c.value = v.rest.length;
  }),
  s.at("wait"),
  s.test("none is left?", (_, v) => v.rest.length === 0, "done"),
  dk(s, "DkObjectsWaitAny(handles, timeout)", "DkObjectsWaitAny", (_, v) => ({
    objects: v.rest,
    timeout: v.ready.length === 0 ? microseconds(v.timeout) : 0,
    takes: v.takes,
    result: 1,
  })),
  s.test("NULL: timed out, or any failure?", (c, v) => polled(c, v) < 0, "done"),
  dk(s, "DkStreamAttributesQuerybyHandle(polled)", "DkStreamAttributesQuerybyHandle", (_, v) => now(v, 1)),
  s.test("failed?", (c) => c.t.rax <= 0, "done"),
  s.act("it is known now; look at the others once more", (c, v) => {
    if ((c.t.rax & READABLE) !== 0) v.ready = [...v.ready, v.object];
    v.rest = v.rest.filter((object) => object !== v.object);
    c.value = v.ready.length;
  }),
  s.jump("wait", "while (npals)"),
  s.at("failed"),
  unlockMap(s),
  answer(s),
  s.at("done"),
  s.act("ret = number of descriptors with revents", (c, v) => {
    v.ret = counted(v);
    c.value = v.ret;
  }),
  answer(s),
]);

/** A question about the descriptor in hand; the outside world has nothing before the wait and what it brings after it. */
const now = (v: CallLocals, brought: 0 | 1) => (v.object >= 0 ? { object: v.object } : { takes: 0, result: brought });

/** The object that ended the wait, -1 when there is none; kept as the descriptor in hand. */
function polled(c: Cpu, v: PollArgs): number {
  if (c.t.rax <= 0) return -1;
  v.object = v.rest[c.t.rax - 1] ?? -1;
  return 0;
}

/** Without descriptors it is nanosleep (shim_poll.c:525). */
const select = flow(SHIM_DO.select, "libos", "2.20, errata B9", (s) => [
  s.test("nfds != 0?", (_, v) => v.objects.length > 0 || v.takes >= 0, "poll"),
  s.test("no time-out?", (_, v) => v.timeout >= NEVER, "invalid"),
  s.call("shim_do_nanosleep(timeout, NULL)", SHIM_DO.nanosleep, (_, v) =>
    extended(callArgs({ timeout: v.timeout }), { rem: false, absolute: false }),
  ),
  s.jump("done"),
  s.at("invalid"),
  s.act("ret = -EINVAL", (c) => {
    c.t.rax = E.INVAL;
  }),
  s.jump("done"),
  s.at("poll"),
  s.call("__do_poll(polls, timeout)", SHIM_DO.poll, (_, v) => v),
  s.at("done"),
  s.ret("return", (c) => {
    c.value = c.t.rax;
  }),
]);

/** The set of a thread's call is its own here: a scenario has no epoll descriptor. */
const epollLockOf = naming("hdl.lock of an epoll handle of thread");
const epollLock = (c: Cpu): { name: string } => ({ name: epollLockOf(c.t.id) });

/**
 * One descriptor a call. The time-out is given in milliseconds and taken for microseconds (shim_epoll.c:325): 1000 times too early.
 */
const epollWait = flow(SHIM_DO.epoll_wait, "libos", "2.20", (s) => [
  ...getFdHandle(s),
  s.call("lock(epoll_hdl.lock)", LIBOS.lock, epollLock),
  s.test("no descriptor in the set?", (c, v) => watched(c, v) === 0, "reply"),
  s.call("unlock(epoll_hdl.lock)", LIBOS.unlock, epollLock),
  dk(s, "DkObjectsWaitAny(handles + event, timeout)", "DkObjectsWaitAny", (_, v) => ({
    objects: v.rest,
    timeout: v.timeout >= NEVER ? NEVER : Math.floor(v.timeout / 1e6) * 1000,
    takes: v.takes,
    result: 1,
  })),
  s.act("polled", (c, v) => {
    v.next = polled(c, v);
  }),
  s.call("lock(epoll_hdl.lock)", LIBOS.lock, epollLock),
  s.test("NULL: timed out, or any failure?", (_, v) => v.next < 0, "reply"),
  dk(s, "DkStreamAttributesQuerybyHandle(polled)", "DkStreamAttributesQuerybyHandle", (_, v) => now(v, 1)),
  s.test("not readable any more?", (c) => (c.t.rax & READABLE) === 0, "reply"),
  s.act("revents of the one that was polled", (_, v) => {
    v.ret = v.takes >= 0 ? v.result : 1;
  }),
  s.at("reply"),
  s.call("unlock(epoll_hdl.lock)", LIBOS.unlock, epollLock),
  answer(s),
]);

/** A descriptor that is closed leaves the set. */
function watched(c: Cpu, v: PollArgs): number {
  v.ret = 0;
  v.rest = v.takes >= 0 ? [-1] : v.objects.filter((object) => !c.process(c.t).libos.closedObjects.includes(object));
  return v.rest.length;
}

export const pollFlows: readonly Flow[] = [poll, select, epollWait];
