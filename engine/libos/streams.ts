/**
 * read, write, accept and close (reference, 2.20; LibOS/shim/src/fs/{pipe,socket,chroot}/fs.c, sys/shim_socket.c). Pipes and sockets are
 * read without a lock; a terminal and a listening socket with hdl.lock held, so that handlers wait for the unlock.
 */

import { E } from "../errno.ts";
import type { Flow, Step } from "../flow.ts";
import { enter } from "../frames.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import type { CallLocals } from "../host/calls.ts";
import type { ObjectKind } from "../object-kinds.ts";
import { dkArgs } from "../pal/calls.ts";
import { PAL_ERROR } from "../pal/events.ts";
import { DK, type DkName } from "../pal/flows.ts";
import { type Ref, refs } from "../ref.ts";
import type { Frame } from "../state.ts";
import { LIBOS, SHIM_DO } from "./flows.ts";
import { getFdHandle, kindOf, lockHandle, lockMap, unlockHandle, unlockMap } from "./handles.ts";
import { answer, dk, given, MAY_READ_ERRNO, minusPalErrno } from "./io.ts";

type Name = "read" | "write";

const FILE_SYSTEMS = ["pipe", "socket", "chroot (device)", "chroot (file)"] as const;
type FileSystem = (typeof FILE_SYSTEMS)[number];

/** By the kind of handle. */
const FS: Readonly<Record<ObjectKind, FileSystem>> = {
  pipe: "pipe",
  socket: "socket",
  unix: "socket",
  tty: "chroot (device)",
  file: "chroot (file)",
};

const functions = (name: Name): Readonly<Record<FileSystem, Ref<CallLocals>>> =>
  refs(FILE_SYSTEMS, (fs) => fs.replace(/^\w+/, (system) => `${system}_${name}`));

/** The file system's own function: pipe_read, chroot_write (file), ... */
const FS_OPS: Readonly<Record<Name, Readonly<Record<FileSystem, Ref<CallLocals>>>>> = {
  read: functions("read"),
  write: functions("write"),
};

/** get_fd_handle found none: the descriptor is -1, because the call that should have made it failed. */
function noHandle(c: Cpu): null {
  c.t.rax = E.BADF;
  return null;
}

const readWrite = (name: Name): Flow =>
  flow(SHIM_DO[name], "libos", "2.20", (s) => [
    ...getFdHandle(s),
    s.callDynamic(`hdl->fs->fs_ops->${name}(hdl, buf, count)`, (c, v) => {
      if (c.m.objects[v.object]?.fd?.what === "none") return noHandle(c);
      return enter(c.program, FS_OPS[name][FS[kindOf(c, v.object)]], v);
    }),
    s.act("ret = what it returned", (c, v) => {
      v.ret = c.t.rax;
      c.value = v.ret;
    }),
    answer(s),
  ]);

/** 0 from the PAL means "look at PAL_ERRNO". */
const pipe = (name: Name, dkName: DkName): Flow =>
  flow(FS_OPS[name].pipe, "libos", "2.20", (s) => [
    dk(s, `${dkName}(hdl.pal_handle)`, dkName, (_, v) => given(v)),
    s.act(
      "ret = bytes ? bytes : -PAL_ERRNO",
      (c, v) => {
        v.ret = c.t.rax > 0 ? c.t.rax : minusPalErrno(c);
        c.value = v.ret;
      },
      MAY_READ_ERRNO,
    ),
    answer(s),
  ]);

/** sock_state is looked at under the lock; the error is kept in sock.error, under the lock again. */
const socket = (name: Name): Flow =>
  flow(FS_OPS[name].socket, "libos", "2.20", (s) => [
    lockHandle(s),
    unlockHandle(s),
    name === "read"
      ? dk(s, "DkStreamRead(hdl.pal_handle)", "DkStreamRead", (_, v) => given(v))
      : s.callDynamic(
          "DkStreamWrite(hdl.pal_handle)",
          (c, v) => dkByKind(c, v, { unix: "DkStreamWrite", socket: "DkStreamWrite (tcp)" }),
          "pal.call.enter",
        ),
    s.act(
      "ret = bytes ? bytes : -PAL_ERRNO",
      (c, v) => {
        v.ret = c.t.rax > 0 ? c.t.rax : socketError(c, name);
        c.value = v.ret;
      },
      MAY_READ_ERRNO,
    ),
    s.test("bytes, or the end of the stream?", (c, v) => v.ret > 0 || (name === "read" && atEnd(c)), "done"),
    lockHandle(s),
    unlockHandle(s),
    s.at("done"),
    answer(s),
  ]);

/** The PAL call of a handle's kind: the same function, another operation of the PAL below it. */
function dkByKind(c: Cpu, v: CallLocals, names: { unix: DkName; socket: DkName }): Frame {
  c.value = c.t.libos.palErrno;
  return enter(c.program, DK[kindOf(c, v.object) === "unix" ? names.unix : names.socket], dkArgs(given(v)));
}

const atEnd = (c: Cpu): boolean => c.t.libos.palErrno === PAL_ERROR.ENDOFSTREAM;

const socketError = (c: Cpu, name: Name): number =>
  name === "write" && c.t.libos.palErrno === PAL_ERROR.CONNFAILED ? E.PIPE : minusPalErrno(c);

/** A terminal: the lock is held over the PAL call (chroot/fs.c:803-812, 844-853). Nothing read raises no error: the old one is looked at. */
const device = (name: Name): Flow =>
  flow(FS_OPS[name]["chroot (device)"], "libos", "2.20", (s) => [
    lockHandle(s),
    name === "read"
      ? dk(s, "DkStreamRead(hdl.pal_handle)", "DkStreamRead (device)", (_, v) => given(v))
      : dk(s, "DkStreamWrite(hdl.pal_handle)", "DkStreamWrite (device)", (_, v) => given(v)),
    s.act(
      "ret = bytes ? bytes : -PAL_ERRNO",
      (c, v) => {
        v.ret = c.t.rax > 0 ? c.t.rax : name === "read" && atEnd(c) ? 0 : minusPalErrno(c);
        c.value = v.ret;
      },
      MAY_READ_ERRNO,
    ),
    unlockHandle(s),
    answer(s),
  ]);

/** A regular file is mapped: reading makes no PAL call inside the window; a write past the end does (chroot/fs.c:651-790). */
const file = (name: Name): Flow =>
  flow(FS_OPS[name]["chroot (file)"], "libos", "2.20", (s) => [
    lockHandle(s),
    name === "write" ? dk(s, "the file grows: DkStreamWrite(hdl.pal_handle)", "DkStreamWrite (file)", (_, v) => given(v)) : null,
    name === "write"
      ? s.act(
          "ret = bytes ? bytes : -PAL_ERRNO",
          (c, v) => {
            v.ret = c.t.rax > 0 ? c.t.rax : minusPalErrno(c);
            c.value = v.ret;
          },
          MAY_READ_ERRNO,
        )
      : s.act("copy from the mapped window", (c, v) => {
          v.ret = v.takes >= 0 ? v.result : v.bytes;
          c.ns = Math.max(0, v.takes);
          c.value = v.ret;
        }),
    unlockHandle(s),
    answer(s),
  ]);

/**
 * The listening handle's lock is held over the wait, so handlers are deferred to the unlock. An address of 32 characters and more takes
 * str_mgr_lock as well; that is left out.
 */
const accept = flow(SHIM_DO.accept, "libos", "2.20", (s) => [
  ...getFdHandle(s),
  lockHandle(s),
  s.callDynamic(
    "DkStreamWaitForClient(hdl.pal_handle)",
    (c, v) => dkByKind(c, v, { unix: "DkStreamWaitForClient (pipe)", socket: "DkStreamWaitForClient" }),
    "pal.call.enter",
  ),
  s.act(
    "ret = client ? fd : -PAL_ERRNO",
    (c, v) => {
      v.ret = c.t.rax > 0 ? v.result : minusPalErrno(c);
      c.value = v.ret;
    },
    MAY_READ_ERRNO,
  ),
  s.test("no client?", (c) => c.t.rax <= 0, "out"),
  ...newHandle(s),
  s.test("an address of AF_UNIX?", (c, v) => kindOf(c, v.object) === "unix", "named"),
  dk(s, "DkStreamGetName(client)", "DkStreamGetName", () => ({})),
  s.at("named"),
  lockMap(s),
  s.test("a slot that was used before?", (c, v) => slotUsed(c, v.result), "slot"),
  s.call("malloc(fd_handle)", LIBOS.malloc),
  s.at("slot"),
  unlockMap(s),
  s.at("out"),
  unlockHandle(s),
  answer(s),
]);

/** get_new_handle: from the pool under its lock, with a lock of its own. */
export function newHandle<V extends object>(s: Steps<V>): Step[] {
  const pool = (): { name: string } => ({ name: "handle_mgr_lock" });
  return [
    s.call("get_new_handle: lock(handle_mgr_lock)", LIBOS.lock, pool),
    s.call("get_new_handle: unlock(handle_mgr_lock)", LIBOS.unlock, pool),
    dk(s, "create_lock(hdl.lock): DkMutexCreate()", "DkMutexCreate", () => ({})),
  ];
}
function slotUsed(c: Cpu, fd: number): boolean {
  const p = c.process(c.t);
  if (fd <= p.libos.highestFd) return true;
  p.libos.highestFd = fd;
  return false;
}

/** close_fd: the slot is emptied under the map's lock; the last reference closes what is in the PAL. */
const close = flow(SHIM_DO.close, "libos", "2.20", (s) => [
  ...getFdHandle(s),
  // delete_from_epoll_handles.
  lockHandle(s),
  unlockHandle(s),
  dk(s, "put_handle: DkObjectClose(hdl.pal_handle)", "DkObjectClose", (_, v) => ({ object: v.object })),
  dk(s, "put_handle: destroy_lock: DkObjectClose(mutex)", "DkObjectClose (mutex)", () => ({})),
  s.call("put_handle: lock(handle_mgr_lock)", LIBOS.lock, () => ({ name: "handle_mgr_lock" })),
  s.call("put_handle: unlock(handle_mgr_lock)", LIBOS.unlock, () => ({ name: "handle_mgr_lock" })),
  s.act("the descriptor is gone", (c, v) => {
    const p = c.process(c.t);
    if (!p.libos.closedObjects.includes(v.object)) p.libos.closedObjects.push(v.object);
  }),
  answer(s),
]);

export const streamFlows: readonly Flow[] = [
  readWrite("read"),
  readWrite("write"),
  pipe("read", "DkStreamRead"),
  pipe("write", "DkStreamWrite"),
  socket("read"),
  socket("write"),
  device("read"),
  device("write"),
  file("read"),
  file("write"),
  accept,
  close,
];
