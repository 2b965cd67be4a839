/** What every PAL call is made of: ENTER_PAL_CALL, the host call at its bottom, a failure handed up, LEAVE_PAL_CALL (reference, 1.1, 2.8). */

import type { Cpu } from "../cpu.ts";
import type { Step, Steps } from "../flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { KIND } from "../transition.ts";
import { EVENT } from "./events.ts";

export type PalName = "linux" | "sgx";

/** What these steps need of a Dk* function's locals. `magic` marks the pal_frame that get_frame looks for (SGX). */
export interface PalLocals {
  magic: boolean;
  /** Error passed to FAILURE, 0 none. */
  raised: number;
  ret: number;
}

interface HostCall {
  /** The function in the enclave that asks for it (Pal/src/host/Linux-SGX/enclave_ocalls.c). */
  readonly ocall: string;
  /** The system call of both PALs. */
  readonly syscall: string;
}

/** Host calls that PAL calls end in, by the name of the kernel's flow. Several may go through one ocall: its arguments say which. */
export const HOST_CALLS = {
  read: { ocall: "ocall_read", syscall: "read" },
  write: { ocall: "ocall_write", syscall: "write" },
  accept: { ocall: "ocall_sock_accept", syscall: "accept" },
  call: { ocall: "ocall_open", syscall: "open" },
  "wait-any": { ocall: "ocall_poll", syscall: "ppoll" },
  "futex-wait-0": { ocall: "ocall_futex", syscall: "futex" },
  "futex-wake": { ocall: "ocall_futex", syscall: "futex" },
  nanosleep: { ocall: "ocall_sleep", syscall: "nanosleep" },
  sched_yield: { ocall: "ocall_sleep", syscall: "sched_yield" },
  tgkill: { ocall: "ocall_wake_thread", syscall: "tgkill" },
  clone: { ocall: "ocall_wake_thread", syscall: "clone" },
  clock_gettime: { ocall: "ocall_gettime", syscall: "gettimeofday" },
  exit: { ocall: "ocall_exit", syscall: "exit" },
  fork: { ocall: "ocall_create_process", syscall: "vfork" },
} as const satisfies Readonly<Record<string, HostCall>>;

export type HostName = keyof typeof HOST_CALLS;

export const OCALL_NAMES: readonly string[] = [...new Set(Object.values(HOST_CALLS).map((call) => call.ocall))];

/** Kernel flows behind an ocall. */
export const hostsOf = (ocall: string): HostName[] =>
  (Object.keys(HOST_CALLS) as HostName[]).filter((host) => HOST_CALLS[host].ocall === ocall);

/** The bottom of a PAL call: enter the kernel, or leave the enclave to do so. */
export function bottom<V extends object>(pal: PalName, s: Steps<V>, host: HostName, args: (c: Cpu, v: V) => CallLocals): Step {
  const { ocall, syscall } = HOST_CALLS[host];
  if (pal === "linux") return s.call(`INLINE_SYSCALL(${syscall})`, `host ${host}`, args);
  const shared = hostsOf(ocall).length > 1;
  return s.call(
    `${ocall}()`,
    "sgx_ocall",
    (c, v) => ({ code: ocall, args: shared ? { ...args(c, v), host } : args(c, v), result: 0 }),
    "ocall.enter",
  );
}

export const enter = <V extends PalLocals>(s: Steps<V>): Step =>
  s.act("ENTER_PAL_CALL: mark the pal_frame", (_, v) => {
    v.magic = true;
  });

const CHECK = "LEAVE_PAL_CALL: __check_pending_event()";

const clear = <V extends PalLocals>(s: Steps<V>): Step =>
  s.act("LEAVE_PAL_CALL: clear the pal_frame", (_, v) => {
    v.magic = false;
  });

/** Linux: what was pended is delivered. SGX pends nothing. */
export const leave = <V extends PalLocals>(pal: PalName, s: Steps<V>): Step =>
  pal === "linux" ? s.call(CHECK, "__check_pending_event") : clear(s);

/** The same for the calls behind every lock(): when nothing is pended, looking is all there is, and it is one row. */
export const leaveQuickly = <V extends PalLocals>(pal: PalName, s: Steps<V>): Step =>
  pal === "linux"
    ? s.callDynamic(CHECK, (c) => {
        if (c.t.pal.pendingEvent !== 0) return { flow: c.flowOf("__check_pending_event"), v: { event: 0, id: 0 } };
        c.kind = KIND.step;
        return null;
      })
    : clear(s);

export const done = <V extends PalLocals>(s: Steps<V>): Step =>
  s.ret(
    "return to the LibOS",
    (c, v) => {
      c.t.rax = v.ret;
      c.value = v.ret;
      c.extra = c.t.libos.palErrno;
    },
    "pal.call.leave",
  );

export const failed = <V extends PalLocals>(s: Steps<V>): Step =>
  s.call(
    "_DkRaiseFailure(error): upcall FAILURE",
    "handle_failure",
    (c, v) => {
      c.value = EVENT.FAILURE;
      c.extra = v.raised;
      return { error: v.raised };
    },
    "libos.upcall.enter",
  );
