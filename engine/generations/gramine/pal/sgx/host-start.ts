/** Untrusted PAL of SGX: how processes and threads begin and end (gramine-today.md 2, 4.5; host_main.c, host_thread.c, host_ecalls.c, host_ocalls.c). */

import { newFrame } from "../../../../control.ts";
import type { Flow } from "../../../../flow.ts";
import { numberOf } from "../../../../frames.ts";
import { type Exit, exitArgs } from "../../../../host/calls.ts";
import { KERNEL } from "../../../../host/flows.ts";
import { eenter } from "../../../../sgx/leaf.ts";
import { copyOf, type EnclaveKind, extended, type Locals, setAt } from "../../../../state.ts";
import { type SgxCpu as Cpu, sgxFlow as flow } from "../../flow.ts";
import { palThreadInit } from "../flows.ts";
import {
  type Asked,
  HOST_OCALLS,
  hostOcallExit,
  hostThreadExit,
  loadEnclave,
  palLinuxMain,
  sgxEcall,
  sgxSignalSetup,
  startRpc,
  THREAD_RESET,
} from "./flows.ts";
import { blockAsync } from "./host-ocalls.ts";
import { AFTER_RESUME } from "./host-signals.ts";

/** ALT_STACK_SIZE; its top is the host TCB. */
const ALT_STACK = 64 * 1024;
/** Virtual ns of one row of a thread that turns until another one has done something: many turns. */
export const SPIN_NS = 1000;

/** First function of a process: then the first ecall. Without attestation the window before pal_thread_init is short (2.3). */
const load = (exitless: boolean): Flow =>
  flow(loadEnclave, "untrusted-pal", "2", (s) => [
    s.act(
      "the process starts",
      (c) => {
        c.value = c.process(c.t).parent;
      },
      "process.start",
    ),
    s.act("build the enclave"),
    s.call("sgx_signal_setup()", sgxSignalSetup),
    s.call("pal_thread_init(tcb)", palThreadInit, () => ({ start: -1 })),
    exitless ? s.call("ecall_enclave_start: start_rpc()", startRpc) : null,
    s.call("ecall_enclave_start()", sgxEcall, (c) => ({ start: numberOf(c.program, palLinuxMain) })),
    s.ret(),
  ]);

function mapTcs(c: Cpu): void {
  const { tcsMap, handles } = c.process(c.t).pal.sgx;
  const free = tcsMap.indexOf(-1);
  const tcs = free < 0 ? tcsMap.length : free;
  if (free < 0) tcsMap.push(c.t.id);
  else setAt(tcsMap, tcs, c.t.id);
  // The first thread's handle is made with its TCS.
  if (tcsMap.length === 1) handles[c.t.id] = tcs;
  c.t.pal.sgx.tcs = tcs;
  c.t.sgx.mapped = true;
  c.value = tcs;
}

function unmapTcs(c: Cpu): void {
  const { sgx } = c.t.pal;
  setAt(c.process(c.t).pal.sgx.tcsMap, sgx.tcs, -1);
  sgx.tcs = -1;
  c.t.sgx.mapped = false;
}

/** Until GS is set it is the creator's, and of a process's first thread none: what a signal does there is the window (a) or (b). */
const threadInit = (kind: EnclaveKind): Flow =>
  flow(palThreadInit, "untrusted-pal", "2", (s) => [
    s.act("arch_prctl(ARCH_SET_GS, tcb)", (c) => {
      c.t.pal.sgx.gs = c.t.id;
    }),
    s.act("sigaltstack(tcb->alt_stack)", (c) => {
      c.t.app.altStack = ALT_STACK;
    }),
    s.act("map_tcs(gettid): the first free TCS", (c) => {
      c.t.sgx.kind = kind;
      mapTcs(c);
    }),
    s.test("the first thread?", (_, v) => v.start < 0, "first"),
    s.act("start_status := 0"),
    s.call("ecall_thread_start()", sgxEcall, (_, v) => ({ start: v.start })),
    s.act("unmap_my_tcs()", unmapTcs),
    s.at("first"),
    s.ret(),
  ]);

const ecall = flow(sgxEcall, "untrusted-pal", "2, 4.2", (s) => [
  s.act("RDX := do_host_ocall, RDI := number of the ecall", (c) => {
    c.t.rdi = 0;
    c.t.rsi = 0;
    c.t.eventSignalId = 0;
    c.t.rdx = "";
  }),
  s.act("count the EENTER; RBX := TCS, RCX := async_exit_pointer"),
  s.act(
    "EENTER",
    (c, v) => {
      eenter(c, c.t, { start: v.start, event: 0 });
    },
    "sgx.eenter",
  ),
  s.at(AFTER_RESUME),
  s.ret("after_resume: return"),
]);

/** The creator turns outside until the new thread has its TCS. */
const cloneThread = flow<Asked & { tid: number }>(HOST_OCALLS.clone_thread, "untrusted-pal", "2, 7.6", (s) => [
  s.own({ tid: 0 }),
  s.act("mmap: stack, alternate stack and TCB; start_status := 1"),
  s.callDynamic("clone(pal_thread_init)", (c, v) => newFrame(c.program, v.asked, v.args as Locals)),
  s.test(
    "clone failed?",
    (c, v) => {
      v.tid = c.t.rax;
      return v.tid < 0;
    },
    "return",
  ),
  s.at("wait"),
  s.test(
    "start_status == 1? CPU_RELAX",
    (c, v) => {
      const made = c.threadsOf(c.process(c.t)).find((t) => t.tid === v.tid);
      const waits = made !== undefined && made.pal.sgx.tcs < 0 && !hasTcs(c, made.id);
      if (waits) c.ns = SPIN_NS;
      return waits;
    },
    "wait",
  ),
  s.at("return"),
  s.ret("return", (c, v) => {
    c.t.rax = v.tid;
    c.value = v.tid;
  }),
]);

/** The new thread was mapped, and may be gone again by now. */
const hasTcs = (c: Cpu, thread: number): boolean => c.process(c.t).pal.sgx.handles[thread] !== undefined;

/** A late event is kept in a TCB that nobody looks at any more; from the block on none comes. */
const exit = flow(hostOcallExit, "untrusted-pal", "4.5", (s) => [
  s.test("is_exitgroup?", (_, v) => v.args.group === true, "group"),
  blockAsync(s, true),
  s.call("ecall_thread_reset()", sgxEcall, () => ({ start: THREAD_RESET })),
  s.act("unmap_my_tcs()", unmapTcs),
  s.test("no enclave thread left? process_exit()", (c) => c.process(c.t).pal.sgx.tcsMap.every((t) => t < 0), "group"),
  s.call("thread_exit()", hostThreadExit, (_, v) => exitOf(v)),
  s.at("group"),
  s.call("exit_group", KERNEL.exit, (_, v) => extended(exitOf(v), { group: true })),
]);

const exitOf = ({ args }: Asked): Exit => {
  const { status, group, how, why, signal } = args as unknown as Exit;
  return exitArgs({ status, group, how, why, signal });
};

const threadExit = flow(hostThreadExit, "untrusted-pal", "4.5", (s) => [
  blockAsync(s, true),
  s.act("GS := 0, no alternate stack", (c) => {
    c.t.pal.sgx.gs = -1;
    c.t.app.altStack = 0;
  }),
  s.call("munmap the stack; exit", KERNEL.exit, (_, v) => exitArgs({ ...copyOf(v) })),
]);

export const hostStartFlows = (kind: EnclaveKind, { exitless }: { exitless: boolean }): Flow[] => [
  load(exitless),
  threadInit(kind),
  ecall,
  cloneThread,
  exit,
  threadExit,
];
