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
  /** The kernel's flow. */
  readonly flow: string;
  /** The system call of the Linux PAL. */
  readonly syscall: string;
  /** The function in the enclave that asks for it (Pal/src/host/Linux-SGX/enclave_ocalls.c), and the system call outside it. */
  readonly ocall: string;
  readonly outside: string;
}

const call = (flow: string, ocall: string, syscall = flow, outside = syscall): HostCall => ({
  flow: `host ${flow}`,
  syscall,
  ocall,
  outside,
});

/** Host calls that PAL calls end in. Several may go through one ocall: its arguments say which. */
export const HOST_CALLS = {
  read: call("read", "ocall_read"),
  write: call("write", "ocall_write"),
  // A pipe is a socket pair: Linux reads and writes it as a file, SGX as a socket, without SIGPIPE (sgx_enclave.c:470).
  "pipe-read": call("read", "ocall_sock_recv", "read", "recvfrom"),
  "pipe-write": call("write", "ocall_sock_send", "write", "sendto"),
  send: call("send", "ocall_sock_send", "sendmsg", "sendto"),
  "write-file": call("write-file", "ocall_map_untrusted", "write", "mmap"),
  accept: call("accept", "ocall_sock_accept", "accept4"),
  close: call("close", "ocall_close"),
  call: call("call", "ocall_open", "open"),
  fionread: call("fionread", "ocall_fionread", "ioctl"),
  "wait-any": call("wait-any", "ocall_poll", "ppoll"),
  "poll-now": call("poll-now", "ocall_poll", "ppoll"),
  "futex-wait-0": call("futex-wait-0", "ocall_futex", "futex"),
  "futex-wake": call("futex-wake", "ocall_futex", "futex"),
  nanosleep: call("nanosleep", "ocall_sleep"),
  sched_yield: call("sched_yield", "ocall_sleep"),
  tgkill: call("tgkill", "ocall_wake_thread"),
  clone: call("clone", "ocall_wake_thread"),
  clock_gettime: call("clock_gettime", "ocall_gettime", "gettimeofday"),
  exit: call("exit", "ocall_exit"),
  fork: call("fork", "ocall_create_process", "vfork"),
} as const satisfies Readonly<Record<string, HostCall>>;

export type HostName = keyof typeof HOST_CALLS;

export const OCALL_NAMES: readonly string[] = [...new Set(Object.values(HOST_CALLS).map((known) => known.ocall))];

/** Where an ocall's call goes under SGX: a write to a pipe raises no SIGPIPE there. */
const sgxFlow = (host: HostName): string => (host === "pipe-write" ? "host send" : HOST_CALLS[host].flow);

const askedBy = (ocall: string): HostName[] => (Object.keys(HOST_CALLS) as HostName[]).filter((host) => HOST_CALLS[host].ocall === ocall);

/** Kernel flows behind an ocall. */
export const flowsOf = (ocall: string): string[] => [...new Set(askedBy(ocall).map(sgxFlow))];

/** System calls an ocall makes, as its step reads. */
export const syscallsOf = (ocall: string): string => [...new Set(askedBy(ocall).map((host) => HOST_CALLS[host].outside))].join(" or ");

/** The bottom of a PAL call: enter the kernel, or leave the enclave to do so. */
export function bottom<V extends object>(pal: PalName, s: Steps<V>, host: HostName, args: (c: Cpu, v: V) => CallLocals): Step {
  const { flow, ocall, syscall } = HOST_CALLS[host];
  if (pal === "linux") return s.call(`INLINE_SYSCALL(${syscall})`, flow, args);
  const shared = flowsOf(ocall).length > 1;
  const asked = sgxFlow(host);
  return s.call(
    `${ocall}()`,
    "sgx_ocall",
    (c, v) => ({ code: ocall, args: shared ? { ...args(c, v), asked } : args(c, v), result: 0 }),
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
