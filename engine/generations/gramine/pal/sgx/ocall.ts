/** sgx_ocall: the way out of the enclave and back (gramine-today.md 4.2; enclave_entry.S), and the functions that ask for it (enclave_ocalls.c). */

import { cut, push } from "../../../../cpu.ts";
import { E } from "../../../../errno.ts";
import type { Flow, Step } from "../../../../flow.ts";
import { enter, numberOf } from "../../../../frames.ts";
import { eexit } from "../../../../sgx/leaf.ts";
import { copyOf, extended, HOST, type Locals } from "../../../../state.ts";
import { contextAt } from "../../context.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { EVENT_BOUND, NO_EVENT } from "../errors.ts";
import {
  doHostOcall,
  eexitPrepare,
  HOST_OCALLS,
  hostOcallExit,
  type Leaving,
  OCALL_NAMES,
  OCALLS,
  type OcallKind,
  type OcallKinds,
  type OcallName,
  ocallExit,
  palExceptionHandler,
  restoreSgxContext,
  type Saved,
  sgxExitlessOcall,
  sgxOcall,
} from "./flows.ts";

/** From here to EEXIT stage one takes the ocall for one that was interrupted before it began. */
export const EEXIT_PREPARE = "ocall_eexit_prepare";
export const AFTER_STACK_RESTORE = "ocall_return_after_stack_restore";

/** What the caller of sgx_ocall goes on with: the frame of this one is left. */
const callersContext = (c: Cpu, result: number): Saved =>
  extended(contextAt(c, c.t.enclave.length - 1), { rax: result, rdi: 0, rsi: 0, carried: 0 });

const isExit = (c: Cpu, v: Leaving): boolean => v.code === numberOf(c.program, hostOcallExit);

/** A7: while it leaves and comes back an exit is not told. */
const setNotify = (s: Steps<Leaving & { result: number }>, on: boolean): Step =>
  s.act(`ready_for_aex_notify? SSA[0].AEXNOTIFY := ${on ? 1 : 0}`, (c) => {
    if (c.t.pal.sgx.readyForAexNotify) c.t.sgx.aexNotify = on;
  });

const ocall = (notify: boolean): Flow =>
  flow<Leaving & { result: number }>(sgxOcall, "pal", "4.2", (s) => [
    s.own({ result: 0 }),
    notify ? setNotify(s, false) : null,
    s.act("RSP := top of the signal stack, unless it is on it"),
    s.act("save xstate and registers"),
    s.test("OCALL_EXIT?", isExit, "exit"),
    s.act("pre_ocall_stack := RSP", (c) => {
      c.t.pal.sgx.preOcallStack = c.t.enclave.length;
    }),
    s.at(EEXIT_PREPARE),
    s.act("RSP := ustack, RBX := exit_target", (c, v) => {
      const t = c.t;
      t.stack = HOST;
      cut(c, t, HOST, t.sgx.ustackTop);
      push(t, enter(c.program, eexitPrepare, { code: v.code, asked: v.asked, args: v.args }));
    }),
    s.act("pre_ocall_stack := NULL", (c) => {
      c.t.pal.sgx.preOcallStack = -1;
    }),
    s.at(AFTER_STACK_RESTORE),
    s.act(
      "saved RAX := RDI; FSBASE",
      (c, v) => {
        v.result = c.t.rdi;
        c.value = v.result;
      },
      "ocall.return",
    ),
    s.test("RSI is an event?", (c) => c.t.rsi !== NO_EVENT && c.t.rsi < EVENT_BOUND, "event"),
    notify ? setNotify(s, true) : null,
    s.call("_restore_sgx_context(context)", restoreSgxContext, (c, v) => callersContext(c, v.result)),
    s.at("event"),
    s.call("_PalExceptionHandler(0, RSI, context, xstate, NULL)", palExceptionHandler, (c, v) =>
      extended(callersContext(c, v.result), { event: c.t.rsi, id: c.t.eventSignalId, vector: -1, opcode: "", maddr: 0 }),
    ),
    s.at("exit"),
    s.act("ocall_exit_called := 1", (c) => {
      c.t.pal.sgx.ocallExitCalled = true;
    }),
    s.jump(EEXIT_PREPARE, "jump to eexit_prepare"),
  ]);

const prepare = flow(eexitPrepare, "pal", "4.2 step 3", (s) => [
  s.act("clear the registers and the extended state"),
  s.act(
    "EEXIT",
    (c, v) => {
      const t = c.t;
      eexit(t);
      cut(c, t, HOST, t.host.length - 1);
      push(t, enter(c.program, doHostOcall, { code: v.code, asked: v.asked, args: v.args }));
    },
    "sgx.eexit",
  ),
]);

/** One that is made again begins anew: what its first try has done on the host stays done. */
const function_ = (name: OcallName, { again, exits = false }: OcallKind, exitless: boolean): Flow => {
  const code = HOST_OCALLS[name];
  const of = `OCALL_${name.replace(/_wa(?:it|ke)$/, "").toUpperCase()}`;
  return flow(OCALLS[name], "pal", "4.2", (s) => [
    s.act("sgx_prepare_ustack(); copy the arguments to the untrusted stack"),
    s.at("again"),
    s.call(
      exitless && !exits ? `sgx_exitless_ocall(${of})` : `sgx_ocall(${of})`,
      exitless && !exits ? sgxExitlessOcall : sgxOcall,
      (c, v) => ({ code: numberOf(c.program, code), asked: v.asked, args: v.args as Locals }),
      "ocall.enter",
    ),
    again ? s.test("-EINTR? again", (c) => c.t.rax === E.INTR, "again") : null,
    s.ret("sgx_reset_ustack(); return the result", (c) => {
      c.value = c.t.rax;
    }),
  ]);
};

/** It never returns: an interruption of it leads here again. */
const exit = flow(ocallExit, "pal", "4.5", (s) => [
  s.act("sgx_prepare_ustack(); copy the arguments to the untrusted stack"),
  s.at("again"),
  s.call(
    "sgx_ocall(OCALL_EXIT)",
    sgxOcall,
    (c, v) => ({ code: numberOf(c.program, hostOcallExit), asked: -1, args: copyOf(v) as unknown as Locals }),
    "ocall.enter",
  ),
  s.jump("again", "again"),
]);

export const ocallFlows = ({ exitless, notify, kinds }: { exitless: boolean; notify: boolean; kinds: OcallKinds }): Flow[] => [
  ocall(notify),
  prepare,
  exit,
  ...OCALL_NAMES.map((name) => function_(name, kinds[name], exitless)),
];
