/** signalfd, eventfd and timerfd: files whose content is no data from elsewhere (fs/signalfd.c, fs/eventfd.c, fs/timerfd.c). */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import type { SignalSet } from "../signals.ts";
import type { FdKind, HostObject } from "../state.ts";
import { KIND } from "../transition.ts";
import type { CallLocals } from "./calls.ts";
import { OUT, tell } from "./outputs.ts";
import { dequeue, isPending } from "./pending.ts";
import { wakeWaiters } from "./sleep.ts";

/** Bytes of a signalfd_siginfo, and of a counter. */
const SIGINFO = 128;
const COUNTER = 8;

/** Read such a file; null when there is nothing yet. */
export function readFd(c: Cpu, v: CallLocals, object: HostObject, fd: FdKind): number | null {
  switch (fd.what) {
    case "none":
      return E.BADF;
    case "signalfd":
      return readSignals(c, v, fd.mask);
    case "eventfd":
    case "timerfd": {
      if (object.level === 0) return null;
      const got = fd.what === "eventfd" && fd.semaphore ? 1 : object.level;
      object.level -= got;
      tell(v, OUT.counter, got);
      return COUNTER;
    }
  }
}

/** As many signals as fit, one at least. They are taken from the thread that reads, and from its process. */
function readSignals(c: Cpu, v: CallLocals, mask: SignalSet): number | null {
  let bytes = 0;
  do {
    const taken = dequeue(c, c.t, mask);
    if (!taken) break;
    c.stray(c.t, taken, KIND["signal.take"]);
    c.signal = taken.signal;
    tell(v, OUT.signal, taken.signal);
    bytes += SIGINFO;
  } while (bytes + SIGINFO <= v.bytes);
  return bytes === 0 ? null : bytes;
}

/** A write adds to an eventfd's counter and counts as 8 bytes, whatever it adds. */
export const writeFd = (v: CallLocals, fd: FdKind | undefined): number =>
  fd === undefined ? v.bytes : fd.what === "eventfd" ? COUNTER : fd.what === "none" ? E.BADF : E.INVAL;

/** A regular file always has something: it never blocks. */
export const isReadable = (object: HostObject | undefined): boolean => object !== undefined && (object.level > 0 || object.kind === "file");

/** Not every object of these kinds is one: it may have become another file since. */
export const isSocket = (object: HostObject | undefined): object is HostObject =>
  object !== undefined && object.fd === undefined && (object.kind === "socket" || object.kind === "unix");

/** poll, select and epoll find something. Of a signalfd each thread sees its own signals. */
export function isReady(c: Cpu, id: number): boolean {
  const object = c.m.objects[id];
  if (!object) return false;
  if (object.fd?.what === "signalfd") return isPending(c, c.t, object.fd.mask);
  return isReadable(object) || object.closed;
}

/** Make an object such a file, or give a signalfd another set. `result` is the number it gets. */
export function makeFd(c: Cpu, v: CallLocals, fd: FdKind, level = 0): number {
  const object = c.m.objects[v.object];
  if (!object) return E.BADF;
  object.fd = fd;
  object.level = level;
  if (fd.what === "signalfd" && !c.m.signalfds.includes(v.object)) c.m.signalfds.push(v.object);
  wakeWaiters(c, v.object);
  return v.result;
}
