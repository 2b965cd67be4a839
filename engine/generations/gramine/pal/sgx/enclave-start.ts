/** SGX PAL in the enclave: how processes and threads begin and end, and the clock (gramine-today.md 2, 4.5; enclave_ecalls.c, pal_main.c, pal_threading.c, pal_misc.c). */

import { exitCall } from "../../../../app/call.ts";
import { LIBC } from "../../../../app/flows.ts";
import { newFrame } from "../../../../control.ts";
import type { Flow } from "../../../../flow.ts";
import { numberOf } from "../../../../frames.ts";
import { callArgs, exitArgs } from "../../../../host/calls.ts";
import { KERNEL } from "../../../../host/flows.ts";
import type { Locals } from "../../../../state.ts";
import { sgxFlow as flow } from "../../flow.ts";
import { LIBOS } from "../../libos/flows.ts";
import { creating } from "../calls.ts";
import { unixToPal } from "../errors.ts";
import { type CreateLocals, PAL } from "../flows.ts";
import { bottom } from "../host-calls.ts";
import { finiAexNotify, initAexNotify } from "./aex-notify.ts";
import { handleEcall, OCALLS, ocallExit, palLinuxMain, palStartThread } from "./flows.ts";
import { SPIN_NS } from "./host-start.ts";
import { initChildProcess, type Ways } from "./new-process.ts";

const ecall = flow(handleEcall, "pal", "2", (s) => [
  s.act("check the ecall; exit_target := RDX, ustack := the untrusted RSP"),
  s.test("ENCLAVE_START was called?", (c, v) => v.start !== numberOf(c.program, palLinuxMain), "thread"),
  s.call("pal_linux_main()", palLinuxMain),
  s.at("thread"),
  s.call("pal_start_thread()", palStartThread, (_, v) => ({ start: v.start })),
]);

/** Window (c): until ready_for_exceptions is set, an event that interrupts the enclave is FAIL_LOOP (B5). */
const main = (notify: boolean, ways: Ways): Flow =>
  flow(palLinuxMain, "pal", "2", (s) => [
    s.act("check and copy the arguments"),
    s.act("init_enclave()"),
    s.act("argv, envp"),
    s.act("ready_for_exceptions := 1", (c) => {
      c.t.pal.sgx.readyForExceptions = true;
    }),
    ...initChildProcess(s, ways),
    s.act("manifest, first thread, enclave_initialized := true"),
    ...(notify ? initAexNotify(s) : []),
    s.call("libos_init()", LIBOS.libos_init),
    s.callDynamic("main()", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
    s.call("exit_group(0)", LIBC.exit_group, () => exitCall(0)),
  ]);

/** The thread finds its handle by its having no TCS yet. */
const startThread = (notify: boolean): Flow =>
  flow(palStartThread, "pal", "2", (s) => [
    s.act("lock(g_thread_list_lock): the handle without a TCS gets this one", (c) => {
      const { sgx } = c.process(c.t).pal;
      sgx.handles[c.t.id] = c.t.pal.sgx.tcs;
      c.value = c.t.pal.sgx.tcs;
    }),
    s.act("unlock; callback and param"),
    s.act("ready_for_exceptions := 1", (c) => {
      c.t.pal.sgx.readyForExceptions = true;
    }),
    s.act("stack canary"),
    ...(notify ? initAexNotify(s) : []),
    s.callDynamic("callback(param)", (c, v) => newFrame(c.program, v.start, {})),
    s.call("_PalThreadExit(NULL)", PAL.PalThreadExit, () => exitArgs({})),
  ]);

/** The creator turns until the new thread has entered the enclave and has its TCS. */
const create = flow<CreateLocals & { tid: number }>(PAL.PalThreadCreate, "pal", "2, 7.6", (s) => [
  s.own({ tid: 0 }),
  s.act("a new handle without a TCS on g_thread_list"),
  bottom("sgx", s, "clone", (_, v) => creating(v)),
  s.act("the result", (c, v) => {
    v.tid = c.t.rax;
    c.value = v.tid;
  }),
  s.test("an error?", (_, v) => v.tid < 0, "return"),
  s.at("wait"),
  s.test(
    "new_thread->tcs == NULL? CPU_RELAX",
    (c, v) => {
      const made = c.threadsOf(c.process(c.t)).find((t) => t.tid === v.tid);
      const waits = made !== undefined && c.process(c.t).pal.sgx.handles[made.id] === undefined;
      if (waits) c.ns = SPIN_NS;
      return waits;
    },
    "wait",
  ),
  s.at("return"),
  s.ret(
    "return to the LibOS",
    (c, v) => {
      c.t.rax = unixToPal(v.tid);
      c.value = c.t.rax;
    },
    "pal.call.leave",
  ),
]);

/** The exit code of a thread is 0. Of the handles the first thread's is on no list. */
const threadExit = (notify: boolean): Flow =>
  flow(PAL.PalThreadExit, "pal", "4.5", (s) => [
    ...(notify ? finiAexNotify(s) : []),
    s.act("tcb.clear_child_tid := clear_child_tid; off g_thread_list"),
    s.call("ocall_exit(0, false)", ocallExit, (_, { how, why, signal, status }) => exitArgs({ status, how, why, signal })),
  ]);

const processExit = flow(PAL.PalProcessExit, "pal", "7.1", (s) => [
  s.call("ocall_exit(exitcode, true)", ocallExit, (_, { how, why, signal, status }) => exitArgs({ status, how, why, signal, group: true })),
]);

/** TSC_REFINE_INIT_TIMEOUT_USECS: a pair of TSC and host time serves for 10 s. */
const FRESH_NS = 10_000_000_000;

/** Microseconds. RDTSC is taken to be allowed in the enclave (SGX 2). */
const time = flow(PAL.PalSystemTimeQuery, "pal", "9", (s) => [
  s.test(
    "a pair of TSC and time, not older than 10 s?",
    (c) => {
      const { tscBase } = c.process(c.t).pal.sgx;
      return tscBase >= 0 && c.now - tscBase < FRESH_NS;
    },
    "fresh",
  ),
  s.call("ocall_gettime()", OCALLS.gettime, (c) => ({
    asked: numberOf(c.program, KERNEL.clock_gettime),
    args: callArgs() as unknown as Locals,
  })),
  s.act("the new pair", (c) => {
    c.process(c.t).pal.sgx.tscBase = c.now;
  }),
  s.at("fresh"),
  s.act("rdtsc", (c) => {
    c.t.rax = c.now;
  }),
  s.ret(
    "return to the LibOS",
    (c) => {
      c.t.rax = Math.floor(c.t.rax / 1000);
      c.value = c.t.rax;
    },
    "pal.call.leave",
  ),
]);

export const enclaveStartFlows = ({ notify, ...ways }: Ways & { notify: boolean }): Flow[] => [
  ecall,
  main(notify, ways),
  startThread(notify),
  create,
  threadExit(notify),
  processExit,
  time,
];
