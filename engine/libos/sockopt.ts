/** setsockopt of SO_RCVTIMEO (LibOS/shim/src/sys/shim_socket.c:1519-1707). Other options tell nothing about signals. */

import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { enter } from "../frames.ts";
import { flow } from "../generations/graphene-2019/flow.ts";
import { isSocket } from "../host/fds.ts";
import { dkArgs } from "../pal/calls.ts";
import { DK } from "../pal/flows.ts";
import { SHIM_DO } from "./flows.ts";
import { getFdHandle, kindOf, lockHandle, unlockHandle } from "./handles.ts";
import { answer, dk, minusPalErrno } from "./io.ts";

/**
 * It takes the first int of the struct timeval, the seconds, and gives them to the PAL when the PAL has others. Of a pipe the PAL's answer has
 * no such field: what lies on the stack is another number as a rule.
 */
const setsockopt = flow(SHIM_DO.setsockopt, "libos", "base revision: shim_socket.c:1519-1707", (s) => [
  ...getFdHandle(s),
  s.test("hdl->type == TYPE_SOCK?", (c, v) => isSocket(c.m.objects[v.object]), "socket"),
  s.act("-ENOTSOCK, or -EBADF without a handle", (c, v) => {
    v.ret = c.m.objects[v.object]?.fd?.what === "none" ? E.BADF : E.NOTSOCK;
  }),
  answer(s),
  s.at("socket"),
  lockHandle(s),
  dk(s, "DkStreamAttributesQuerybyHandle(hdl.pal_handle)", "DkStreamAttributesQuerybyHandle", (_, v) => ({ object: v.object })),
  s.test("failed?", (c) => c.t.rax === 0, "error"),
  s.test("the PAL has these seconds?", (c, v) => kindOf(c, v.object) === "socket" && seconds(v.receiveTimeout) === 0, "unlock"),
  s.callDynamic(
    "DkStreamAttributesSetbyHandle(hdl.pal_handle)",
    (c, v) => {
      const name = kindOf(c, v.object) === "unix" ? "DkStreamAttributesSetbyHandle (pipe)" : "DkStreamAttributesSetbyHandle";
      c.value = c.t.libos.palErrno;
      return enter(c.program, DK[name], dkArgs({ object: v.object, timeout: v.receiveTimeout }));
    },
    "pal.call.enter",
  ),
  s.test("done?", (c) => c.t.rax !== 0, "unlock"),
  s.at("error"),
  s.act(
    "-PAL_ERRNO",
    (c, v) => {
      v.ret = minusPalErrno(c);
      c.value = v.ret;
    },
    "pal.errno.read",
  ),
  s.at("unlock"),
  unlockHandle(s),
  answer(s),
]);

const seconds = (ns: number): number => Math.floor(ns / 1e9);

export const sockoptFlows: readonly Flow[] = [setsockopt];
