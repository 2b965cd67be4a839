/**
 * SGX PAL: a process of a fork, and how parent and child come to trust each other (pal_process.c, enclave_framework.c, pal_main.c). The key
 * exchange, the two reports and the TLS handshake are made again when they are interrupted (enclave_framework.c:527-647, mbedtls_adapter.c:404-414),
 * and are one step here. The master key and the instance id are not: whoever is interrupted there gives up.
 */

import { E } from "../../../../errno.ts";
import type { Flow, Mark, Step } from "../../../../flow.ts";
import { numberOf } from "../../../../frames.ts";
import { callArgs, exitArgs } from "../../../../host/calls.ts";
import { KERNEL } from "../../../../host/flows.ts";
import type { Locals } from "../../../../state.ts";
import { WHY } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { creating } from "../calls.ts";
import { unixToPal } from "../errors.ts";
import { type CreateLocals, PAL } from "../flows.ts";
import { bottom } from "../host-calls.ts";
import { OCALLS, ocallExit } from "./flows.ts";

/** The stream on which the parent speaks to the child. */
const streamOf = (c: Cpu, process: number): number => c.m.processes[process]?.libos.streams.down ?? -1;

const transfer = <V extends object>(s: Steps<V>, what: "read" | "write", label: string, process: (c: Cpu, v: V) => number): Step =>
  s.call(label, OCALLS[what], (c, v) => ({
    asked: numberOf(c.program, KERNEL[what]),
    args: callArgs({ object: streamOf(c, process(c, v)), bytes: 1 }) as unknown as Locals,
  }));

export interface Ways {
  /** What is interrupted is made again. */
  readonly again: boolean;
}

const orAgain = <V extends object>(s: Steps<V>, mark: string, { again }: Ways): Step | null =>
  again ? s.test("-EINTR? again", (c) => c.t.rax === E.INTR, mark) : null;

/** An error of the PAL becomes that of the fork: -EINTR as well (pal_process.c:167-187). */
const create = (ways: Ways): Flow =>
  flow<CreateLocals & { process: number; error: number }>(PAL.PalProcessCreate, "pal", "7.5", (s) => [
    s.own({ process: -1, error: 0 }),
    bottom("sgx", s, "fork", (_, v) => creating(v)),
    s.act("the process", (c, v) => {
      v.process = c.t.rax;
      v.error = c.t.rax;
      c.value = v.process;
    }),
    s.test("an error?", (_, v) => v.process < 0, "failed"),
    s.act("_PalStreamKeyExchange, _PalStreamReportRequest, _PalStreamSecureInit"),
    s.at("key"),
    transfer(s, "write", "_PalStreamSecureWrite(g_master_key): ocall_write()", (_, v) => v.process),
    orAgain(s, "key", ways),
    s.test("not the whole of it?", (c) => c.t.rax < 0, "gives up"),
    s.at("id"),
    transfer(s, "write", "_PalStreamSecureWrite(instance_id): ocall_write()", (_, v) => v.process),
    orAgain(s, "id", ways),
    s.test("not the whole of it?", (c) => c.t.rax < 0, "gives up"),
    s.ret(
      "return to the LibOS",
      (c, v) => {
        c.t.rax = v.process;
        c.value = v.process;
      },
      "pal.call.leave",
    ),
    s.at("gives up"),
    s.act("the error", (c, v) => {
      v.error = c.t.rax;
      c.value = v.error;
    }),
    s.call("_PalObjectDestroy(child): ocall_close()", OCALLS.close, (c, v) => ({
      asked: numberOf(c.program, KERNEL.close),
      args: callArgs({ object: streamOf(c, v.process) }) as unknown as Locals,
    })),
    s.at("failed"),
    s.ret(
      "return to the LibOS",
      (c, v) => {
        c.t.rax = unixToPal(v.error);
        c.value = c.t.rax;
      },
      "pal.call.leave",
    ),
  ]);

/** init_child_process, in pal_linux_main: a child that is interrupted while it waits for its parent's key ends with status 1 (pal_main.c:615-620). */
export const initChildProcess = <V extends object>(s: Steps<V>, ways: Ways): (Step | Mark | null)[] => [
  s.test("no parent process?", (c) => c.process(c.t).parent < 0, "initialized"),
  s.act("init_child_process: _PalStreamKeyExchange, _PalStreamReportRespond, _PalStreamSecureInit"),
  s.at("key"),
  transfer(s, "read", "init_child_process: _PalStreamSecureRead(g_master_key): ocall_read()", (c) => c.t.process),
  orAgain(s, "key", ways),
  s.test("not the whole of it?", (c) => c.t.rax <= 0, "no parent"),
  s.at("id"),
  transfer(s, "read", "init_child_process: _PalStreamSecureRead(instance_id): ocall_read()", (c) => c.t.process),
  orAgain(s, "id", ways),
  s.test("the whole of it?", (c) => c.t.rax > 0, "initialized"),
  s.at("no parent"),
  s.act('print "Failed to initialize child process"'),
  s.call("ocall_exit(1, true)", ocallExit, () => exitArgs({ status: 1, group: true, how: 2, why: WHY.PAL })),
  s.at("initialized"),
];

export const newProcessFlows = (ways: Ways): Flow[] => [create(ways)];
