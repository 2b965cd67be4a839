/** The host calls that PAL functions end in: a system call on Linux, an ocall under SGX. */

import { KERNEL, type KernelLocals, type KernelName } from "../../../host/flows.ts";
import type { Ref } from "../../../ref.ts";
import type { Step, Steps } from "../flow.ts";

export type PalName = "linux" | "sgx";

const call = <K extends KernelName>(kernel: K, ocall: string, syscall: string = kernel) => ({ kernel, ocall, syscall });

/** By what is asked for: the kernel's flow, the ocall of the SGX PAL, the system call. */
export const HOST_CALLS = {
  read: call("read", "ocall_read"),
  write: call("write", "ocall_write"),
  "write-file": call("write-file", "ocall_pwrite", "pwrite64"),
  accept: call("accept", "ocall_accept", "accept4"),
  recv: call("read", "ocall_recv", "recvmsg"),
  send: call("send", "ocall_send", "sendmsg"),
  poll: call("poll", "ocall_poll", "ppoll"),
  setsockopt: call("setsockopt", "ocall_setsockopt"),
  close: call("close", "ocall_close"),
  open: call("call", "ocall_open", "open"),
  call: call("call", "ocall_pread", "(host call)"),
  "futex-wait": call("futex-wait-0", "ocall_futex", "futex"),
  "futex-wake": call("futex-wake", "ocall_futex", "futex"),
  yield: call("sched_yield", "ocall_sched_yield", "sched_yield"),
  time: call("clock_gettime", "ocall_gettime", "clock_gettime"),
  tgkill: call("tgkill", "ocall_tgkill"),
  clone: call("clone", "ocall_clone_thread", "clone"),
  fork: call("fork", "ocall_create_process", "vfork, execve"),
  exit: call("exit", "ocall_exit"),
} as const;
export type HostName = keyof typeof HOST_CALLS;

type ArgsOf<H extends HostName> = KernelLocals<(typeof HOST_CALLS)[H]["kernel"]>;

/** The bottom of a PAL function. Its result is in RAX: >= 0 or a negative errno. */
export function bottom<V extends object, H extends HostName>(
  pal: PalName,
  s: Steps<V>,
  host: H,
  args: (c: Parameters<Parameters<Steps<V>["act"]>[1] & object>[0], v: V) => ArgsOf<H>,
): Step {
  const { kernel, syscall } = HOST_CALLS[host];
  if (pal === "sgx") throw new Error("the SGX PAL of Gramine is not there yet");
  // The compiler does not see that the same name chooses both.
  return s.call(`DO_SYSCALL(${syscall})`, KERNEL[kernel] as unknown as Ref<object>, args);
}
