/**
 * Where EENTER leads (gramine-today.md 4.2, 4.3, 4.5; enclave_entry.S): first calls, returns from ocalls, and stage one of exceptions. It
 * runs with the untrusted RSP; what it changes of the interrupted code is in SSA[0].
 */

import { goTo } from "../../../../control.ts";
import { cut, push, topFrame } from "../../../../cpu.ts";
import type { Flow, Mark, Step } from "../../../../flow.ts";
import { enter, isFrameOf } from "../../../../frames.ts";
import { type Entry, enclaveEntry } from "../../../../sgx/flows.ts";
import { eexit } from "../../../../sgx/leaf.ts";
import { ENCLAVE, HOST } from "../../../../state.ts";
import { KIND } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { FAIL, toStageTwo } from "./aex-notify.ts";
import { failOnMorphedEresume, handleEcall, sgxEcall, sgxRaise, THREAD_RESET } from "./flows.ts";
import { AFTER_RESUME } from "./host-signals.ts";
import { stageOne } from "./stage-one.ts";

/** Virtual ns of one row of FAIL_LOOP. */
const FAIL_NS = 1_000_000;

/** FAIL_LOOP: never left. The first turn says so. */
const failLoop = (s: Steps<Entry>): (Step | Mark)[] => [
  s.at("fail"),
  s.act("FAIL_LOOP", (c, v) => c.row(KIND["pal.fail"], v.event, v.event === 0 ? 0 : c.t.eventSignalId), "pal.fail"),
  s.at("loop"),
  s.test(
    "jump to itself",
    (c) => {
      c.ns = FAIL_NS;
      return true;
    },
    "loop",
  ),
];

/** RSP := the enclave's initial stack; from here on the untrusted stack is the ocalls'. */
function toEnclaveStack(c: Cpu, v: Entry): void {
  const t = c.t;
  cut(c, t, HOST, t.host.length - 1);
  t.sgx.exitTarget = true;
  t.sgx.ustackTop = t.host.length;
  t.stack = ENCLAVE;
  push(t, enter(c.program, handleEcall, { start: v.start }));
}

/** What ran outside is left; the frame of sgx_ocall goes on. */
function toOcallStack(c: Cpu): void {
  const t = c.t;
  cut(c, t, HOST, t.sgx.ustackTop);
  t.stack = ENCLAVE;
}

/** EEXIT to what RDX or RCX was at EENTER: the function that has made it goes on behind it. */
function leave(c: Cpu): void {
  const t = c.t;
  eexit(t);
  cut(c, t, HOST, t.host.length - 1);
  const caller = topFrame(t);
  if (t.rdx === FAIL) {
    cut(c, t, HOST, t.host.length - 1);
    return push(t, enter(c.program, failOnMorphedEresume, {}));
  }
  if (!isFrameOf(c, caller, sgxRaise) && !isFrameOf(c, caller, sgxEcall))
    throw new Error("EEXIT to after_resume, but not on the stack of sgx_raise or sgx_ecall");
  goTo(c.program, caller, AFTER_RESUME);
}

const entry = ({ notify, ignoresEarly, keepsQuit }: Ways): Flow =>
  flow(enclaveEntry, "pal", "4.2, 4.3", (s) => [
    s.test("CSSA != 0: stage one of an exception", (c) => c.t.sgx.cssa !== 0, "exception"),
    s.act("ecall_return_addr := RCX"),
    s.test("pre_ocall_stack != NULL: return from an ocall", (c) => c.t.pal.sgx.preOcallStack >= 0, "ocall return"),
    s.test("ECALL_THREAD_RESET?", (_, v) => v.start === THREAD_RESET, "reset"),
    s.test("thread_started: no ecall is left", (c) => c.t.pal.sgx.threadStarted, "fail"),
    s.act("thread_started := 1", (c) => {
      c.t.pal.sgx.threadStarted = true;
    }),
    s.act("RSP := initial stack; clear the registers; call handle_ecall()", toEnclaveStack),

    s.at("ocall return"),
    s.act("RSP := pre_ocall_stack", toOcallStack),

    s.at("reset"),
    s.act("ready_for_exceptions := 0", (c) => {
      c.t.pal.sgx.readyForExceptions = false;
    }),
    s.test("ocall_exit_called == 0?", (c) => !c.t.pal.sgx.ocallExitCalled, "fail"),
    s.act("clear_child_tid := 0", (c) => {
      c.t.pal.exited = true;
      c.dirty = true;
    }),
    s.act("thread_started, ocall_exit_called, pre_ocall_stack := 0", (c) => {
      const { sgx } = c.t.pal;
      sgx.threadStarted = false;
      sgx.ocallExitCalled = false;
      sgx.preOcallStack = -1;
      cut(c, c.t, ENCLAVE, 0);
    }),
    s.act("EEXIT to ecall_return_addr", leave, "sgx.eexit"),

    s.at("exception"),
    ...stageOne(s, { fail: "fail", ignored: "legacy", ignoresEarly, keepsQuit }),
    ...(notify ? [s.test("ready_for_aex_notify?", (c) => c.t.pal.sgx.readyForAexNotify, "notify")] : []),
    s.at("legacy"),
    s.act(
      "EEXIT to RDX",
      (c) => {
        c.row(KIND["sgx.eexit"], 1, c.t.eventSignalId);
        leave(c);
      },
      "sgx.eexit",
    ),
    ...(notify ? [s.at("notify"), ...toStageTwo(s)] : []),
    ...failLoop(s),
  ]);

interface Ways {
  readonly notify: boolean;
  readonly ignoresEarly: boolean;
  readonly keepsQuit: boolean;
}

export const entryFlows = (ways: Ways): Flow[] => [entry(ways)];
