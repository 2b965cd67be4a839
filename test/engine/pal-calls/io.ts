/** Calls on descriptors, and those that wait. Pages and files: LibOS/shim/src/sys and fs of the base revision. */

import type { PalCase } from "../../support/pal-calls.ts";

const READY = [{ write: { to: "o", bytes: 4 } }];

/** `o` is of this kind. */
const objects = (kind: unknown): Record<string, unknown> => ({ objects: { o: kind } });

export const IO: readonly PalCase[] = [
  { call: "read, pipe", page: "L(map) U*(map) DkStreamRead@0", main: [...READY, { read: { from: "o" } }] },
  {
    call: "read, socket",
    page: "L(map) U*(map) L(hdl) U*(hdl) DkStreamRead@0",
    main: [...READY, { read: { from: "o" } }],
    more: objects("socket"),
  },
  {
    call: "read, socket with O_NONBLOCK, nothing there",
    page: "L(map) U*(map) L(hdl) U*(hdl) DkStreamRead@0 [0 and not end of stream: L(hdl) U*(hdl)]",
    main: [{ read: { from: "o" } }],
    more: objects({ kind: "socket", nonblock: true }),
  },
  {
    call: "read, terminal",
    page: "L(map) U*(map) L(hdl) DkStreamRead@1 U*(hdl)",
    main: [{ write: { to: "o" } }, { read: { from: "o" } }],
    more: objects("tty"),
  },
  {
    call: "read, regular file inside the mapped window",
    page: "L(map) U*(map) L(hdl) U*(hdl)",
    main: [{ read: { from: "o" } }],
    more: objects("file"),
  },
  { call: "write, pipe", page: "L(map) U*(map) DkStreamWrite@0", main: [{ write: { to: "o" } }] },
  {
    call: "write, socket",
    page: "L(map) U*(map) L(hdl) U*(hdl) DkStreamWrite@0",
    main: [{ write: { to: "o" } }],
    more: objects("socket"),
  },
  {
    call: "write, terminal",
    page: "L(map) U*(map) L(hdl) DkStreamWrite@1 U*(hdl)",
    main: [{ write: { to: "o" } }],
    more: objects("tty"),
  },
  {
    call: "write, regular file that grows",
    page: "L(map) U*(map) L(hdl) DkStreamWrite@1 U*(hdl)",
    main: [{ write: { to: "o" } }],
    more: objects("file"),
  },
  {
    call: "accept, TCP, descriptor not used before",
    page: "L(map) U*(map) L(hdl) DkStreamWaitForClient@1 L(hm) U(hm) DkMutexCreate@1 DkStreamGetName@1 L(map) [L(slab) U(slab)] U(map) U*(hdl)",
    main: [{ write: { to: "o" } }, { accept: { on: "o" } }],
    more: objects("socket"),
  },
  {
    call: "accept, TCP, descriptor used before",
    page: "L(map) U*(map) L(hdl) DkStreamWaitForClient@1 L(hm) U(hm) DkMutexCreate@1 DkStreamGetName@1 L(map) U(map) U*(hdl)",
    main: [{ write: { to: "o", bytes: 2 } }, { accept: { on: "o" } }, { accept: { on: "o" } }],
    more: objects("socket"),
  },
  {
    call: "accept, AF_UNIX",
    page: "L(map) U*(map) L(hdl) DkStreamWaitForClient@1 L(hm) U(hm) DkMutexCreate@1 L(map) [L(slab) U(slab)] U(map) U*(hdl)",
    main: [{ write: { to: "o" } }, { accept: { on: "o" } }],
    more: objects("unix"),
  },
  {
    call: "accept, nobody there and O_NONBLOCK",
    page: "L(map) U*(map) L(hdl) DkStreamWaitForClient@1 U*(hdl)",
    main: [{ accept: { on: "o" } }],
    more: objects({ kind: "socket", nonblock: true }),
  },
  {
    call: "close, pipe",
    page: "L(map) U*(map) [close_handle: L(hdl) U*(hdl)] put_handle, last: DkObjectClose(pal) DkObjectClose(mutex) L(hm) U*(hm)",
    main: [{ close: { what: "o" } }],
  },
  {
    call: "poll, two pipes, both ready",
    page: "L(map) 2 x (L(hdl) DkStreamAttributesQuerybyHandle@2 U(hdl)) U*(map)",
    main: [...READY, { write: { to: "p" } }, { poll: { on: ["o", "p"] } }],
  },
  {
    call: "poll, one pipe becomes ready, another stays idle",
    page: "L(map) 2 x (L(hdl) DkStreamAttributesQuerybyHandle@2 U(hdl)) U*(map) DkObjectsWaitAny@0 DkStreamAttributesQuerybyHandle@0 DkObjectsWaitAny@0",
    main: [{ poll: { on: ["o", "p"] } }],
    more: { arrivals: [{ to: "o", when: { at: "5ms" } }] },
  },
  {
    call: "poll, terminal and file",
    page: "L(map) 2 x (L(hdl) U(hdl)) U*(map) DkObjectsWaitAny@0 (t = 0: the file is ready)",
    main: [{ poll: { on: ["o", "f"] } }],
    more: { objects: { o: "tty", f: "file" } },
  },
  { call: "poll, no descriptor", page: "L(map) U*(map)", main: [{ poll: { timeout: "1ms" } }] },
  {
    call: "select, one pipe ready",
    page: "L(map) L(hdl) DkStreamAttributesQuerybyHandle@2 U(hdl) U*(map)",
    main: [...READY, { select: { on: ["o"] } }],
  },
  { call: "select, nfds 0", page: "nanosleep: DkThreadDelayExecution@0", main: [{ select: { timeout: "1ms" } }] },
  {
    call: "epoll_wait, one pipe ready",
    page: "L(map) U*(map) L(ep) U*(ep) DkObjectsWaitAny@0 L(ep) DkStreamAttributesQuerybyHandle@1 U*(ep)",
    main: [...READY, { "epoll-wait": { on: ["o"] } }],
  },
  {
    call: "epoll_wait, nothing in time",
    page: "L(map) U*(map) L(ep) U*(ep) DkObjectsWaitAny@0 L(ep) NULL: U*(ep)",
    main: [{ "epoll-wait": { on: ["o"], timeout: "1ms" } }],
  },
  {
    call: "futex WAIT, first futex of the process",
    page: "[first: L(mst) DkMutexCreate U*(mst)] L(fl) [new address: L(hm) U(hm) DkMutexCreate@1] U*(fl) L(hdl) DkEventClear@1 U*(hdl) DkObjectsWaitAny@0 L(hdl) U*(hdl)",
    main: [{ "futex-wait": { on: "w", timeout: "1ms" } }],
  },
  {
    call: "futex WAIT, known address",
    page: "L(fl) U*(fl) L(hdl) DkEventClear@1 U*(hdl) DkObjectsWaitAny@0 L(hdl) U*(hdl)",
    main: [{ "futex-wake": { on: "w" } }, { "futex-wait": { on: "w", timeout: "1ms" } }],
  },
  {
    call: "futex WAIT, another value",
    page: "L(fl) [new address: L(hm) U(hm) DkMutexCreate@1] U*(fl) L(hdl) U*(hdl)",
    main: [{ "futex-wake": { on: "v" } }, { "futex-wait": { on: "w", changed: true } }],
  },
  {
    call: "futex WAKE, one sleeper",
    page: "L(fl) U*(fl) L(hdl) 1 x DkEventSet@1 U*(hdl)",
    main: [{ clone: "sleeper" }, { nanosleep: "1ms" }, { "futex-wake": { on: "w" } }],
    more: { programs: { sleeper: [{ "futex-wait": { on: "w" } }] } },
  },
  { call: "nanosleep", page: "DkThreadDelayExecution@0", main: [{ nanosleep: "1ms" }] },
  { call: "sched_yield", page: "DkThreadYieldExecution@0", main: ["yield"] },
  { call: "gettimeofday", page: "DkSystemTimeQuery!", main: ["gettime"] },
  { call: "getpid", page: "no PAL call at all", main: ["getpid"] },
];
