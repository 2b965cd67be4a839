/** read, write and close (gramine-today.md 8; libos_open.c, fs/pipe/fs.c). No call looks at pending signals before it goes into the host. */

import { E } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import { enter } from "../../../frames.ts";
import type { CallLocals } from "../../../host/calls.ts";
import { isSocket } from "../../../host/fds.ts";
import { type Cpu, flow } from "../flow.ts";
import { palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { getHandle, kindOf, noHandle, pal, palArgs, restartable } from "./io.ts";
import { sendSigpipe } from "./sigpipe.ts";

/** fs_ops of the handle: a file's, a socket's, an eventfd's, or the plain stream's. */
const isFile = (c: Cpu, v: CallLocals): boolean => kindOf(c, v.object) === "file";
const isEventfd = (c: Cpu, v: CallLocals): boolean => c.m.objects[v.object]?.fd?.what === "eventfd";
const isSock = (c: Cpu, v: CallLocals): boolean => isSocket(c.m.objects[v.object]);

/** By the file system's own function; what it says of a socket or an eventfd is the result already. */
const read = flow(SYSCALL_FLOWS.read, "libos", "8", (s) => [
  ...getHandle(s),
  s.test("a socket?", isSock, "socket"),
  s.test("an eventfd?", isEventfd, "eventfd"),
  s.callDynamic(
    "fs_ops->read: PalStreamRead(handle)",
    (c, v) => enter(c.program, isFile(c, v) ? PAL["PalStreamRead (file)"] : PAL.PalStreamRead, palArgs(v)),
    "pal.call.enter",
  ),
  restartable(s),
  answer(s),
  s.at("socket"),
  s.call("fs_ops->read: do_recvmsg(handle)", LIBOS.do_recvmsg, (_, v) => palArgs(v)),
  answer(s),
  s.at("eventfd"),
  s.call("fs_ops->read: eventfd_read(handle)", LIBOS.eventfd_read, (_, v) => palArgs(v)),
  answer(s),
  ...noHandle(s),
]);

/** To a pipe whose reader is gone: SIGPIPE to the process, not to the thread (B17). */
const write = (toThread: boolean): Flow =>
  flow(SYSCALL_FLOWS.write, "libos", "8, 6 SIGPIPE", (s) => [
    ...getHandle(s),
    s.test("a socket?", isSock, "socket"),
    s.test("an eventfd?", isEventfd, "eventfd"),
    s.callDynamic(
      "fs_ops->write: PalStreamWrite(handle)",
      (c, v) => enter(c.program, isFile(c, v) ? PAL["PalStreamWrite (file)"] : PAL.PalStreamWrite, palArgs(v)),
      "pal.call.enter",
    ),
    s.test("not -EPIPE?", (c) => palToUnix(c.t.rax) !== E.PIPE, "result"),
    sendSigpipe(s, toThread),
    s.act("-EPIPE", (c) => {
      c.t.rax = E.PIPE;
    }),
    answer(s),
    s.at("result"),
    restartable(s),
    answer(s),
    s.at("socket"),
    s.call("fs_ops->write: do_sendmsg(handle)", LIBOS.do_sendmsg, (_, v) => palArgs(v)),
    answer(s),
    s.at("eventfd"),
    s.call("fs_ops->write: eventfd_write(handle)", LIBOS.eventfd_write, (_, v) => palArgs(v)),
    answer(s),
    ...noHandle(s),
  ]);

const close = flow(SYSCALL_FLOWS.close, "libos", "8", (s) => [
  ...getHandle(s),
  pal(s, "PalObjectDestroy", (_, v) => palArgs(v)),
  s.act("0", (c) => {
    c.t.rax = 0;
  }),
  answer(s),
  ...noHandle(s),
]);

export const streamFlows = (fixes: { toThread: boolean }): Flow[] => [read, write(fixes.toThread), close];
