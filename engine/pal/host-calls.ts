/** The host calls that PAL calls end in, on Linux and by way of an ocall. */

import type { KernelName } from "../host/flows.ts";

interface HostCall {
  /** The kernel's flow. */
  readonly kernel: KernelName;
  /** The system call of the Linux PAL. */
  readonly syscall: string;
  /** The function in the enclave that asks for it (Pal/src/host/Linux-SGX/enclave_ocalls.c), and the system call outside it. */
  readonly ocall: string;
  readonly outside: string;
}

const call = <K extends KernelName, const O extends string>(kernel: K, ocall: O, syscall: string = kernel, outside = syscall) => ({
  kernel,
  syscall,
  ocall,
  outside,
});

/** Several may go through one ocall: its arguments say which. */
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
  setsockopt: call("setsockopt", "ocall_sock_setopt"),
  nanosleep: call("nanosleep", "ocall_sleep"),
  sched_yield: call("sched_yield", "ocall_sleep"),
  tgkill: call("tgkill", "ocall_wake_thread"),
  clone: call("clone", "ocall_wake_thread"),
  clock_gettime: call("clock_gettime", "ocall_gettime", "gettimeofday"),
  exit: call("exit", "ocall_exit"),
  fork: call("fork", "ocall_create_process", "vfork"),
} as const satisfies Readonly<Record<string, HostCall>>;

export type HostName = keyof typeof HOST_CALLS;
export type OcallName = (typeof HOST_CALLS)[HostName]["ocall"];

export const OCALL_NAMES: readonly OcallName[] = [...new Set(Object.values(HOST_CALLS).map((known) => known.ocall))];

/** Where an ocall's call goes under SGX: a write to a pipe raises no SIGPIPE there. */
export const sgxKernel = (host: HostName): KernelName => (host === "pipe-write" ? "send" : HOST_CALLS[host].kernel);

const askedBy = (ocall: OcallName): HostName[] =>
  (Object.keys(HOST_CALLS) as HostName[]).filter((host) => HOST_CALLS[host].ocall === ocall);

/** Kernel calls behind an ocall. */
export const kernelCallsOf = (ocall: OcallName): KernelName[] => [...new Set(askedBy(ocall).map(sgxKernel))];

/** System calls an ocall makes, as its step reads. */
export const syscallsOf = (ocall: OcallName): string => [...new Set(askedBy(ocall).map((host) => HOST_CALLS[host].outside))].join(" or ");
