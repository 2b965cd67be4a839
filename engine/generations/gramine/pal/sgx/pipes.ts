/**
 * SGX PAL: pipes, UNIX sockets, streams between processes (corrections 4.2.M1; pal_pipes.c, enclave_framework.c, mbedtls_adapter.c). What goes
 * through them is TLS, so a spinlock is held over each read and write, the host call that waits included. A record is taken for one host call.
 */

import { E } from "../../../../errno.ts";
import type { Flow, Mark, Step } from "../../../../flow.ts";
import { numberOf } from "../../../../frames.ts";
import type { CallLocals } from "../../../../host/calls.ts";
import { KERNEL } from "../../../../host/flows.ts";
import { naming } from "../../../../naming.ts";
import { extended, type Locals } from "../../../../state.ts";
import { KIND, type KindId } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { given } from "../calls.ts";
import { PAL_ERROR, unixToPal } from "../errors.ts";
import { PAL } from "../flows.ts";
import { OCALLS } from "./flows.ts";
import { SPIN_NS } from "./host-start.ts";

/** A file descriptor of the host's own (an eventfd that is let through) has no TLS, nor have the standard streams. */
const isPlain = (c: Cpu, v: CallLocals): boolean => v.object < 0 || c.m.objects[v.object]?.fd !== undefined;

type End = "read" | "write";

/** The handle whose lock it is: the two ends of a pipe are two handles of the PAL, whoever reads and writes a socket does both by one. */
const handleOf = (c: Cpu, { object }: CallLocals, end: End): number =>
  end === "write" && c.m.objects[object]?.kind === "pipe" ? -1 - object : object;

const lockOf = naming("pipe.lock of");
const lockName = (c: Cpu, v: CallLocals): string => lockOf(c.m.objects[v.object]?.name ?? v.object);

function say(c: Cpu, v: CallLocals, end: End, kind: KindId<"lock" | "unlock" | "lock.busy">): void {
  c.row(kind, -1, c.process(c.t).pal.sgx.pipeLocks[handleOf(c, v, end)] ?? -1);
  c.detail = c.text(lockName(c, v));
}

/** Whoever finds it taken turns in the enclave: an event that interrupts it there has no effect (N3). */
const lock = (s: Steps<CallLocals>, end: End): (Step | Mark)[] => [
  s.at("lock"),
  s.test(
    "spinlock_lock(pipe.lock)",
    (c, v) => {
      const { pipeLocks } = c.process(c.t).pal.sgx;
      const handle = handleOf(c, v, end);
      const taken = pipeLocks[handle] !== undefined;
      if (!taken) pipeLocks[handle] = c.t.id;
      else c.ns = SPIN_NS;
      say(c, v, end, taken ? KIND["lock.busy"] : KIND.lock);
      return taken;
    },
    "lock",
    "lock",
  ),
];

const unlock = (s: Steps<CallLocals>, end: End): Step =>
  s.act(
    "spinlock_unlock(pipe.lock)",
    (c, v) => {
      say(c, v, end, KIND.unlock);
      delete c.process(c.t).pal.sgx.pipeLocks[handleOf(c, v, end)];
    },
    "unlock",
  );

/** EINTR and EAGAIN are one code in between, which for a blocking handle can only have been EINTR. Of all others EPIPE alone keeps its name. */
function ofTls(c: Cpu, { object, takes, result: told }: CallLocals, result: number): number {
  const error = unixToPal(result);
  // What a scenario's outside world answers is what comes of the call at last.
  if (takes >= 0 && result === told) return error;
  if (error === PAL_ERROR.INTERRUPTED || error === PAL_ERROR.TRYAGAIN)
    return c.m.objects[object]?.nonblock === true ? PAL_ERROR.TRYAGAIN : PAL_ERROR.INTERRUPTED;
  return error >= 0 || error === PAL_ERROR.CONNFAILED_PIPE ? error : PAL_ERROR.DENIED;
}

const leave = (s: Steps<CallLocals>, result: (c: Cpu, v: CallLocals) => number): Step =>
  s.ret(
    "return to the LibOS",
    (c, v) => {
      c.t.rax = result(c, v);
      c.value = c.t.rax;
    },
    "pal.call.leave",
  );

const ocall = (s: Steps<CallLocals>, label: string, what: "read" | "write", args: (c: Cpu, v: CallLocals) => CallLocals): Step =>
  s.call(label, OCALLS[what], (c, v) => ({ asked: numberOf(c.program, KERNEL[what]), args: args(c, v) as unknown as Locals }));

const read = flow<CallLocals>(PAL.PalStreamRead, "pal", "4.2.M1", (s) => [
  s.test("no TLS?", isPlain, "plain"),
  ...lock(s, "read"),
  ocall(s, "mbedtls_ssl_read: ocall_read()", "read", given),
  s.act("the result", (c, v) => {
    v.ret = c.t.rax;
    c.value = v.ret;
  }),
  unlock(s, "read"),
  leave(s, (c, v) => ofTls(c, v, v.ret)),
  s.at("plain"),
  ocall(s, "ocall_read()", "read", given),
  leave(s, (c) => unixToPal(c.t.rax)),
]);

/** A record that was built and not sent stays: the next write sends it, and says that it has sent what it was given (N10). */
const write = (sends: boolean): Flow =>
  flow<CallLocals>(PAL.PalStreamWrite, "pal", "4.2.M1", (s) => [
    s.test("no TLS?", isPlain, "plain"),
    ...lock(s, "write"),
    s.test("mbedtls_ssl_write: a record is still to be sent?", (c, v) => c.process(c.t).pal.sgx.records[v.object] !== undefined, "send"),
    s.act("mbedtls_ssl_write: build the record", (c, v) => {
      c.process(c.t).pal.sgx.records[v.object] = v.bytes;
      c.value = v.bytes;
    }),
    s.at("send"),
    ocall(s, "mbedtls_ssl_flush_output: ocall_write()", "write", (c, v) =>
      extended(given(c, v), { bytes: c.process(c.t).pal.sgx.records[v.object] ?? v.bytes }),
    ),
    sends ? s.test("-EINTR? again, for the record is built", (c) => c.t.rax === E.INTR, "send") : null,
    s.act("the result; a record that was sent is gone", (c, v) => {
      const { records } = c.process(c.t).pal.sgx;
      v.ret = c.t.rax >= 0 ? (v.takes >= 0 ? c.t.rax : v.bytes) : c.t.rax;
      c.value = v.ret;
      if (c.t.rax >= 0) delete records[v.object];
    }),
    unlock(s, "write"),
    leave(s, (c, v) => ofTls(c, v, v.ret)),
    s.at("plain"),
    ocall(s, "ocall_write()", "write", given),
    leave(s, (c) => unixToPal(c.t.rax)),
  ]);

export const pipeFlows = ({ sends }: { sends: boolean }): Flow[] => [read, write(sends)];
