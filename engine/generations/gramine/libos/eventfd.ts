/**
 * eventfd (corrections 8.M1; fs/eventfd/fs.c). By default the counter is the LibOS's, and the host's only wakes: a read that waits is ended by
 * nothing but a write (N1). With `eventfd-passthrough` it is the host's.
 */

import { E } from "../../../errno.ts";
import type { Flow } from "../../../flow.ts";
import { makeFd, readFd } from "../../../host/fds.ts";
import { NEVER } from "../../../time.ts";
import { flow } from "../flow.ts";
import { PAL_ERROR } from "../pal/errors.ts";
import { PAL } from "../pal/flows.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { palArgs, restartable } from "./io.ts";
import { copyOut } from "./outputs.ts";

const create = flow(SYSCALL_FLOWS.eventfd, "libos", "8.M1", (s) => [
  s.act("a handle with the counter", (c, v) => {
    c.t.rax = makeFd(c, v, { what: "eventfd", semaphore: v.semaphore }, v.bytes);
    c.value = c.t.rax;
  }),
  answer(s),
]);

interface Options {
  readonly passthrough: boolean;
  /** An interrupted poll ends the call. */
  readonly interruptible: boolean;
}

/** An interrupted poll is looked at by nobody: neither pending signals nor time_to_die. */
const read = ({ passthrough, interruptible }: Options): Flow =>
  flow(LIBOS.eventfd_read, "libos", "8.M1", (s) =>
    passthrough
      ? [s.call("PalStreamRead(handle)", PAL.PalStreamRead, (_, v) => palArgs(v), "pal.call.enter"), restartable(s), answer(s)]
      : [
          s.at("again"),
          s.test("val != 0?", (c, v) => (c.m.objects[v.object]?.level ?? 0) > 0, "take"),
          s.test("O_NONBLOCK?", (c, v) => c.m.objects[v.object]?.nonblock === true, "nonblock"),
          s.call(
            "eventfd_dummy_host_wait: PalStreamsWaitEvents(handle)",
            PAL.PalStreamsWaitEvents,
            (_, v) => ({ objects: [v.object], timeout: NEVER, takes: -1, result: 0, ends: -1 }),
            "pal.call.enter",
          ),
          interruptible ? s.test("interrupted?", (c) => c.t.rax === PAL_ERROR.INTERRUPTED, "interrupted") : null,
          s.jump("again", "whatever it said: look again"),
          s.at("take"),
          s.act("take the counter, or one of it", (c, v) => {
            const object = c.m.objects[v.object];
            v.ret = object?.fd ? (readFd(c, v, object, object.fd) ?? E.AGAIN) : E.BADF;
            c.value = v.ret;
          }),
          ...copyOut(s),
          s.act("8 bytes", (c, v) => {
            c.t.rax = v.ret;
          }),
          answer(s),
          s.at("interrupted"),
          restartable(s),
          answer(s),
          s.at("nonblock"),
          s.act("-EAGAIN", (c) => {
            c.t.rax = E.AGAIN;
          }),
          answer(s),
        ],
  );

/** The host's write wakes readers and pollers; it is made again until it is done. */
const write = flow(LIBOS.eventfd_write, "libos", "8.M1", (s) => [
  s.at("again"),
  s.call("PalStreamWrite(handle)", PAL.PalStreamWrite, (_, v) => palArgs(v), "pal.call.enter"),
  s.test("interrupted? again", (c) => c.t.rax === PAL_ERROR.INTERRUPTED, "again"),
  restartable(s),
  answer(s),
]);

export const eventfdFlows = (options: Options): Flow[] => [create, read(options), write];
