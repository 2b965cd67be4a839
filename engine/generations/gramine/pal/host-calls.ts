/** The host calls that PAL functions end in: a system call on Linux, an ocall under SGX. */

import { numberOf } from "../../../frames.ts";
import { KERNEL, type KernelLocals, type KernelName } from "../../../host/flows.ts";
import type { Ref } from "../../../ref.ts";
import type { Locals } from "../../../state.ts";
import type { Step, Steps } from "../flow.ts";
import { OCALLS, type OcallName } from "./sgx/flows.ts";

export type PalName = "linux" | "sgx";

const call = <K extends KernelName>(kernel: K, ocall: OcallName, syscall: string = kernel) => ({ kernel, ocall, syscall });

/** By what is asked for: the kernel's flow, the ocall of the SGX PAL, the system call. */
export const HOST_CALLS = {
  read: call("read", "read"),
  write: call("write", "write"),
  "write-any": call("call", "write", "write"),
  "wait-lock": call("call", "futex_wait", "futex"),
  "write-file": call("write-file", "pwrite", "pwrite64"),
  accept: call("accept", "accept", "accept4"),
  recv: call("read", "recv", "recvmsg"),
  send: call("send", "send", "sendmsg"),
  poll: call("poll", "poll", "ppoll"),
  setsockopt: call("setsockopt", "setsockopt"),
  close: call("close", "close"),
  open: call("call", "open", "open"),
  connect: call("call", "connect_simple", "connect"),
  "connect-pipe": call("call", "connect", "connect"),
  shutdown: call("call", "shutdown"),
  fsync: call("call", "fsync"),
  call: call("call", "pread", "(host call)"),
  "futex-wait": call("futex-wait-0", "futex_wait", "futex"),
  "futex-wake": call("futex-wake", "futex_wake", "futex"),
  yield: call("sched_yield", "sched_yield", "sched_yield"),
  time: call("clock_gettime", "gettime", "clock_gettime"),
  tgkill: call("tgkill", "resume_thread"),
  clone: call("clone", "clone_thread", "clone"),
  fork: call("fork", "create_process", "vfork, execve"),
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
  const { kernel, ocall, syscall } = HOST_CALLS[host];
  const asked = KERNEL[kernel];
  if (pal === "sgx")
    return s.call(`ocall_${ocall}()`, OCALLS[ocall], (c, v) => ({
      asked: numberOf(c.program, asked),
      args: args(c, v) as unknown as Locals,
    }));
  // The compiler does not see that the same name chooses both.
  return s.call(`DO_SYSCALL(${syscall})`, KERNEL[kernel] as unknown as Ref<object>, args);
}
