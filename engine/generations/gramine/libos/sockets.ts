/** Sockets (gramine-today.md 8, corrections 8.M2; libos_socket.c). read and write of a socket are recv and send. */

import { E, LIBOS_RESTART } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import type { CallLocals } from "../../../host/calls.ts";
import { isSocket } from "../../../host/fds.ts";
import { naming } from "../../../naming.ts";
import { extended } from "../../../state.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow } from "../flow.ts";
import { palToUnix } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { getHandle, kindOf, noHandle, pal, palArgs, restartable } from "./io.ts";
import { sendSigpipe } from "./sigpipe.ts";

const nameOf = (c: Cpu, v: CallLocals): string | number => c.m.objects[v.object]?.name ?? v.object;
const lockOf = naming("lock of socket");
const recvLockOf = naming("recv_lock of socket");
const sockLock = (c: Cpu, v: CallLocals): { name: string } => ({ name: lockOf(nameOf(c, v)) });
const recvLock = (c: Cpu, v: CallLocals): { name: string } => ({ name: recvLockOf(nameOf(c, v)) });

/** With SO_RCVTIMEO a handler's flags do not matter. */
const restartCode = (c: Cpu, v: CallLocals): number =>
  (c.m.objects[v.object]?.receiveTimeout ?? NEVER) < NEVER ? LIBOS_RESTART.NOHAND : LIBOS_RESTART.SYS;

const accept = flow(SYSCALL_FLOWS.accept, "libos", "8", (s) => [
  ...getHandle(s),
  s.call("lock(sock->lock)", LIBOS.lock, sockLock),
  s.call("unlock(sock->lock)", LIBOS.unlock, sockLock),
  pal(s, "PalSocketAccept", (_, v) => palArgs(v)),
  restartable(s, restartCode),
  answer(s),
  ...noHandle(s),
]);

/** recv_lock is held over the whole wait: a second reader sleeps in the LibOS's lock, and its kick is swallowed there (N2). */
const recv = flow(LIBOS.do_recvmsg, "libos", "8, corrections 8.M2", (s) => [
  s.call("lock(sock->lock)", LIBOS.lock, sockLock),
  s.call("unlock(sock->lock)", LIBOS.unlock, sockLock),
  s.call("lock(sock->recv_lock)", LIBOS.lock, recvLock),
  pal(s, "PalSocketRecv", (_, v) => palArgs(v)),
  s.act("what it said", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  s.call("unlock(sock->recv_lock)", LIBOS.unlock, recvLock),
  s.act("the result", (c, v) => {
    c.t.rax = v.ret;
  }),
  restartable(s, restartCode),
  answer(s),
]);

const send = (toThread: boolean): Flow =>
  flow(LIBOS.do_sendmsg, "libos", "8, 6 SIGPIPE", (s) => [
    s.call("lock(sock->lock)", LIBOS.lock, sockLock),
    s.call("unlock(sock->lock)", LIBOS.unlock, sockLock),
    pal(s, "PalSocketSend", (_, v) => palArgs(v)),
    s.test("not -EPIPE?", (c) => palToUnix(c.t.rax) !== E.PIPE, "result"),
    sendSigpipe(s, toThread),
    s.act("-EPIPE", (c) => {
      c.t.rax = E.PIPE;
    }),
    answer(s),
    s.at("result"),
    restartable(s),
    answer(s),
  ]);

/** SO_RCVTIMEO. Sockets of AF_UNIX are pipes of the host, which have no such option (net/unix.c). */
const setsockopt = flow(SYSCALL_FLOWS.setsockopt, "libos", "8", (s) => [
  ...getHandle(s),
  s.test("no socket?", (c, v) => !isSocket(c.m.objects[v.object]), "no socket"),
  s.test("AF_UNIX?", (c, v) => kindOf(c, v.object) === "unix", "unix"),
  s.call("lock(sock->lock)", LIBOS.lock, sockLock),
  s.call(
    "PalStreamAttributesSetByHandle(receive_timeout)",
    PAL.PalStreamAttributesSetByHandle,
    (_, v) => extended(palArgs(v), { receiveTimeout: v.receiveTimeout }),
    "pal.call.enter",
  ),
  s.act("what it said", (c, v) => {
    v.ret = palToUnix(c.t.rax);
    c.value = v.ret;
  }),
  s.call("unlock(sock->lock)", LIBOS.unlock, sockLock),
  s.act("the result", (c, v) => {
    c.t.rax = v.ret;
  }),
  answer(s),
  s.at("unix"),
  s.act("-ENOPROTOOPT", (c) => {
    c.t.rax = E.NOPROTOOPT;
  }),
  answer(s),
  s.at("no socket"),
  s.act("-ENOTSOCK", (c) => {
    c.t.rax = E.NOTSOCK;
  }),
  answer(s),
  ...noHandle(s),
]);

export const socketFlows = (fixes: { toThread: boolean }): Flow[] => [accept, recv, send(fixes.toThread), setsockopt];
