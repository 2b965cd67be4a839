/**
 * PAL functions that both PALs have, but for their bottom. They return a result or a negative PAL error; no state of a call is kept, so a
 * signal during one has no other effect than the end of a host call that waits (gramine-today.md 3).
 */

import { later } from "../../../cpu.ts";
import type { Flow } from "../../../flow.ts";
import { type CallLocals, callArgs, NO_OBJECTS } from "../../../host/calls.ts";
import { type Creating, sending } from "../../../host/flows.ts";
import { SIG } from "../../../signals.ts";
import { extended } from "../../../state.ts";
import { NEVER } from "../../../time.ts";
import { type Cpu, flow, type Steps } from "../flow.ts";
import { PAL_ERROR, unixToPal } from "./errors.ts";
import { eventCalls } from "./events.ts";
import { type CreateLocals, PAL, type PalCallName, type WaitLocals } from "./flows.ts";
import { bottom, type HostName, type PalName } from "./host-calls.ts";

/** What a host call is given of a PAL call. A call made again ends when it would have (`ends`). */
export const given = (_: Cpu, v: CallLocals): CallLocals => extended(callArgs(v), { ends: v.ends });

/** The result: what the bottom said, as a PAL error where it is one. */
export const done = <V extends object>(s: Steps<V>): ReturnType<Steps<V>["ret"]> =>
  s.ret(
    "return to the LibOS",
    (c) => {
      c.t.rax = unixToPal(c.t.rax);
      c.value = c.t.rax;
    },
    "pal.call.leave",
  );

type Plain = Exclude<HostName, "tgkill" | "clone" | "fork" | "poll" | "setsockopt">;

const plain = (pal: PalName, name: PalCallName, host: Plain, source: string): Flow =>
  flow(PAL[name], "pal", source, (s) => [bottom(pal, s, host, given), done(s)]);

interface WaitEvents extends WaitLocals {
  until: number;
}

/** poll of the host. A time-out is TRYAGAIN; what is left of it is written back. */
const waitEvents = (pal: PalName): Flow =>
  flow<WaitEvents>(PAL.PalStreamsWaitEvents, "pal", "8", (s) => [
    s.own({ until: NEVER }),
    s.act("the time-out's end", (c, v) => {
      v.until = later(c.now, v.timeout);
    }),
    bottom(pal, s, "poll", (_, v) =>
      extended(callArgs({ objects: v.objects, timeout: v.timeout, takes: v.takes, result: v.result }), {
        ends: v.ends,
        mask: null,
        select: false,
        fds: NO_OBJECTS,
        next: 0,
        rest: NO_OBJECTS,
        ready: NO_OBJECTS,
      }),
    ),
    s.ret(
      "return to the LibOS",
      (c, v) => {
        c.t.pal.timeLeft = v.until >= NEVER ? NEVER : Math.max(0, v.until - c.now);
        c.t.rax = c.t.rax === 0 ? PAL_ERROR.TRYAGAIN : unixToPal(c.t.rax);
        c.value = c.t.rax;
      },
      "pal.call.leave",
    ),
  ]);

/** SO_RCVTIMEO of a socket of the host. */
const setTimeout = (pal: PalName): Flow =>
  flow(PAL.PalStreamAttributesSetByHandle, "pal", "8", (s) => [
    bottom(pal, s, "setsockopt", (_, v) => extended(callArgs(v), { receiveTimeout: v.receiveTimeout })),
    done(s),
  ]);

/** tgkill(SIGCONT): the target's host call that waits ends, or its own code is interrupted. Whatever goes wrong, the Linux PAL says DENIED. */
const resume = (pal: PalName): Flow =>
  flow(PAL.PalThreadResume, "pal", "3 LW", (s) => [
    bottom(pal, s, "tgkill", (_, v) => extended(sending([v.target], SIG.CONT), { wakeUp: true })),
    s.ret(
      "return to the LibOS",
      (c) => {
        c.t.rax = c.t.rax >= 0 ? 0 : pal === "sgx" ? unixToPal(c.t.rax) : PAL_ERROR.DENIED;
        c.value = c.t.rax;
      },
      "pal.call.leave",
    ),
  ]);

export const creating = ({ program, start, internal, cloned }: CreateLocals): Creating =>
  extended(callArgs(), { program, start, internal, cloned });

const create = (pal: PalName, name: "PalThreadCreate" | "PalProcessCreate", host: "clone" | "fork"): Flow =>
  flow<CreateLocals>(PAL[name], "pal", "7.5, 7.6", (s) => [bottom(pal, s, host, (_, v) => creating(v)), done(s)]);

export const palCalls = (pal: PalName): Flow[] => [
  plain(pal, "PalStreamOpen", "open", "8"),
  plain(pal, "PalStreamOpen (pipe)", "connect-pipe", "8"),
  plain(pal, "PalStreamRead (file)", "call", "8"),
  plain(pal, "PalStreamWrite (file)", "write-file", "8"),
  plain(pal, "PalStreamWrite (any)", "write-any", "8"),
  plain(pal, "PalEventWait (lock of a file)", "wait-lock", "1, 8"),
  plain(pal, "PalSocketAccept", "accept", "8"),
  plain(pal, "PalSocketRecv", "recv", "8"),
  plain(pal, "PalSocketSend", "send", "8"),
  plain(pal, "PalSocketConnect", "connect", "8.M3"),
  plain(pal, "PalStreamDelete", "shutdown", "4.2.8"),
  plain(pal, "PalStreamFlush", "fsync", "8"),
  waitEvents(pal),
  setTimeout(pal),
  plain(pal, "PalObjectDestroy", "close", "8"),
  plain(pal, "PalThreadYieldExecution", "yield", "7.1"),
  resume(pal),
  ...eventCalls(pal),
];

/** Those that the SGX PAL does otherwise (`sgx/pipes.ts`, `sgx/enclave-start.ts`). */
export const linuxPalCalls: readonly Flow[] = [
  plain("linux", "PalStreamRead", "read", "8"),
  plain("linux", "PalStreamWrite", "write", "8"),
  create("linux", "PalThreadCreate", "clone"),
  create("linux", "PalProcessCreate", "fork"),
];
