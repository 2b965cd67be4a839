/**
 * Exitless ocalls (gramine-today.md 11; enclave_ocalls.c, host_ocalls.c, pal_rpc_queue.h): the enclave puts a request into a queue, and a thread
 * outside makes the call. The request lies on the asker's untrusted stack. The queue's own spinlock, held for some instructions, is left out.
 */

import { newFrame } from "../../../../control.ts";
import { E } from "../../../../errno.ts";
import type { Flow, Step } from "../../../../flow.ts";
import { numberOf } from "../../../../frames.ts";
import { callArgs, NO_OBJECTS } from "../../../../host/calls.ts";
import { KERNEL, sending } from "../../../../host/flows.ts";
import { NO_OUTPUT } from "../../../../host/outputs.ts";
import { blockable } from "../../../../host/signal.ts";
import { setMask } from "../../../../host/signal-calls.ts";
import { ref } from "../../../../ref.ts";
import { removeSignal, SIG, type SignalSet } from "../../../../signals.ts";
import { copyOf, extended, type Locals } from "../../../../state.ts";
import { KIND } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import type { Process, RpcRequest, Thread } from "../../state.ts";
import { HOST_OCALLS, type Leaving, sgxExitlessOcall, sgxOcall, startRpc } from "./flows.ts";

/** sgx.insecure__rpc_thread_num: as many as sgx.max_threads by default. */
const RPC_THREADS = 4;
const RPC_QUEUE_SIZE = 1024;
/** RPC_SPINLOCK_TIMEOUT turns are 1 ms (the comment at it): here in rows that stand for 1, 2, 4, ... us. */
const SPIN_ROWS = 10;
const FIRST_SPIN_NS = 1000;
/** An RPC thread turns 10^4 times without a request, then sleeps a millisecond more each time, up to 100 ms. */
const IDLE_ROWS = 10;
const IDLE_NS = 1000;
const SLEEP_STEP = 1_000_000;
const SLEEP_MOST = 100_000_000;

const ALL_BUT_USR2: SignalSet = blockable(removeSignal([-1, -1], SIG.USR2));

/** Lock word of a request. */
const [UNLOCKED, LOCKED, WITH_WAITERS] = [0, 1, 2] as const;

export const rpcThreadLoop = ref("rpc_thread_loop");

const rpc = (c: Cpu) => c.process(c.t).pal.sgx.rpc;

const requestOf = (c: Cpu, id: number): RpcRequest => {
  const found = rpc(c).requests[id];
  if (!found) throw new Error(`RPC request ${id} is not known`);
  return found;
};

/** The word as the kernel sees it, which compares it with LOCKED_WITH_WAITERS: level 0 when it is that. */
function setLock(c: Cpu, request: RpcRequest, lock: number): void {
  request.lock = lock;
  const word = c.m.objects[request.word];
  if (word) word.level = lock === WITH_WAITERS ? 0 : 1;
}

function make(c: Cpu, v: Leaving & { request: number }): void {
  const { requests } = rpc(c);
  let id = 0;
  while (requests[id] !== undefined) id += 1;
  const { mail } = c.t;
  c.t.mail = null;
  requests[id] = {
    thread: c.t.id,
    code: v.code,
    asked: v.asked,
    args: copyOf(v.args) as Locals,
    mail,
    lock: LOCKED,
    result: 0,
    given: false,
    word: c.newObject("rpc request", 1),
  };
  v.request = id;
  c.value = id;
}

/** Nobody knows of the request any more. */
function forget(c: Cpu, id: number): void {
  c.freeObject(requestOf(c, id).word);
  delete rpc(c).requests[id];
}

const answered = (c: Cpu, id: number): boolean => requestOf(c, id).lock === UNLOCKED;

const exitless = (waitsOn: boolean): Flow =>
  flow<Leaving & { request: number; turn: number; ret: number }>(sgxExitlessOcall, "pal", "11", (s) => [
    s.own({ request: -1, turn: 0, ret: 0 }),
    s.act("a request on the untrusted stack, its lock taken", make),
    s.test(
      "rpc_enqueue: the queue is full?",
      (c, v) => {
        const { queue } = rpc(c);
        if (queue.length >= RPC_QUEUE_SIZE) return true;
        queue.push(v.request);
        c.row(KIND["rpc.request"], v.request);
        return false;
      },
      "full",
      ["rpc.request", "branch"],
    ),
    s.at("spin"),
    s.test("spinlock_lock_timeout: is the lock free?", (c, v) => answered(c, v.request), "result"),
    s.test(
      "10^6 turns are over?",
      (c, v) => {
        if (v.turn >= SPIN_ROWS) return true;
        c.ns = FIRST_SPIN_NS * 2 ** v.turn;
        v.turn += 1;
        return false;
      },
      "wait",
    ),
    s.jump("spin", "CPU_RELAX"),
    s.at("wait"),
    s.test(
      "lock := LOCKED_WITH_WAITERS; was it free by now?",
      (c, v) => {
        if (answered(c, v.request)) return true;
        setLock(c, requestOf(c, v.request), WITH_WAITERS);
        return false;
      },
      "result",
    ),
    s.call(
      "sgx_ocall(OCALL_FUTEX): wait for the lock",
      sgxOcall,
      (c, v) => ({
        code: numberOf(c.program, HOST_OCALLS.futex_wait),
        asked: numberOf(c.program, KERNEL["futex-wait-0"]),
        args: callArgs({ object: requestOf(c, v.request).word }) as unknown as Locals,
      }),
      "ocall.enter",
    ),
    s.test(
      `a failure that is not -EAGAIN${waitsOn ? " or -EINTR" : ""}?`,
      (c) => c.t.rax < 0 && c.t.rax !== E.AGAIN && !(waitsOn && c.t.rax === E.INTR),
      "failed",
    ),
    s.test("is the lock free?", (c, v) => answered(c, v.request), "result"),
    s.jump("wait", "wait again"),
    s.at("result"),
    s.act("result := request->result; sgx_reset_ustack()", (c, v) => {
      v.ret = requestOf(c, v.request).result;
      forget(c, v.request);
      c.value = v.ret;
    }),
    s.ret("return it", give),
    s.at("failed"),
    s.act(
      "sgx_reset_ustack(), the request with it; -EPERM",
      (c, v) => {
        v.ret = E.PERM;
        requestOf(c, v.request).given = true;
        c.row(KIND["rpc.abandon"], v.request, v.ret);
      },
      "rpc.abandon",
    ),
    s.ret("return it", give),
    s.at("full"),
    s.act("sgx_reset_ustack()", (c, v) => {
      c.t.mail = requestOf(c, v.request).mail as typeof c.t.mail;
      forget(c, v.request);
    }),
    s.call("sgx_ocall(code)", sgxOcall, (_, v) => ({ code: v.code, asked: v.asked, args: copyOf(v.args) as Locals }), "ocall.enter"),
    s.ret("return the result", (c) => {
      c.value = c.t.rax;
    }),
  ]);

function give(c: Cpu, v: { ret: number }): void {
  c.t.rax = v.ret;
  c.value = v.ret;
}

interface Loop {
  request: number;
  spins: number;
  sleep: number;
  /** The word whose waiter is to be woken, -1: nobody waits. */
  word: number;
}

/** What the asker would have been: whose bytes are written, and whose mask a new process of the LibOS begins with. */
function inPlaceOf(c: Cpu, request: RpcRequest): void {
  c.t.mail = request.mail as typeof c.t.mail;
  const asker = c.m.threads[request.thread];
  if (asker) c.t.libos.mask = asker.libos.mask;
}

/** Of a request whose asker has given it up: the stack there is in use for something else by now (X1). */
function clobber(c: Cpu, id: number): void {
  c.row(KIND["sgx.clobber"], UNTRUSTED_STACK);
  forget(c, id);
}

/** One instruction takes 1 from the lock: it is free then, unless somebody waits in the kernel. */
function finish(c: Cpu, v: Loop): void {
  const request = requestOf(c, v.request);
  v.word = -1;
  if (request.given) return clobber(c, v.request);
  request.result = c.t.rax;
  if (request.lock === WITH_WAITERS) v.word = request.word;
  setLock(c, request, request.lock - 1);
  c.row(KIND["rpc.done"], v.request, c.t.rax);
}

function release(c: Cpu, v: Loop): void {
  const request = requestOf(c, v.request);
  if (request.given) clobber(c, v.request);
  else setLock(c, request, UNLOCKED);
}
const UNTRUSTED_STACK = 4;

/** GS of the thread is its creator's for good, so a call that can be interrupted looks at the main thread's last_async_event (X2). */
const loop = flow<Loop>(rpcThreadLoop, "untrusted-pal", "11", (s) => [
  s.own({ request: -1, spins: 0, sleep: 0, word: -1 }),
  s.act("block all signals but SIGUSR2", (c) => setMask(c, c.t, ALL_BUT_USR2), "host.sigprocmask"),
  s.act("rpc_threads: one more", (c) => {
    rpc(c).threads.push(c.t.id);
  }),
  s.at("loop"),
  s.test(
    "rpc_dequeue: no request?",
    (c, v) => {
      const id = rpc(c).queue.shift();
      if (id === undefined) return true;
      v.request = id;
      v.spins = 0;
      v.sleep = 0;
      c.row(KIND["rpc.take"], id, requestOf(c, id).thread);
      return false;
    },
    "idle",
    ["branch", "rpc.take"],
  ),
  s.callDynamic("call the ocall's function", (c, v) => {
    const request = requestOf(c, v.request);
    inPlaceOf(c, request);
    return newFrame(c.program, request.code, { asked: request.asked, args: copyOf(request.args) as Locals });
  }),
  s.act("request->result := result; lock - 1", finish, ["rpc.done", "sgx.clobber"]),
  s.test("nobody waits in the kernel?", (_, v) => v.word < 0, "next"),
  s.act("lock := UNLOCKED", release, ["step", "sgx.clobber"]),
  s.call("futex(FUTEX_WAKE)", KERNEL["futex-wake"], (_, v) => callArgs({ object: v.word, bytes: 1 })),
  s.at("next"),
  s.act("next request", (_, v) => {
    v.request = -1;
  }),
  s.jump("loop", "next request"),
  s.at("idle"),
  s.test(
    "10^4 turns are over?",
    (c, v) => {
      if (v.spins >= IDLE_ROWS) return true;
      v.spins += 1;
      c.ns = IDLE_NS * v.spins;
      return false;
    },
    "sleep",
  ),
  s.jump("loop", "CPU_RELAX"),
  s.at("sleep"),
  s.call("nanosleep", KERNEL.nanosleep, (_, v) => {
    v.sleep = Math.min(SLEEP_MOST, v.sleep + SLEEP_STEP);
    return extended(callArgs({ timeout: v.sleep }), { objects: NO_OBJECTS, out: NO_OUTPUT, rem: false, absolute: false });
  }),
  s.jump("loop", "look again"),
]);

/** start_rpc: the first thread waits until all are there. */
const start = flow<{ left: number }>(startRpc, "untrusted-pal", "11", (s) => [
  s.own({ left: RPC_THREADS }),
  s.at("next"),
  s.test("all are made?", (_, v) => v.left === 0, "wait"),
  s.call("clone(rpc_thread_loop)", KERNEL.clone, (c, v) => {
    v.left -= 1;
    return extended(callArgs(), { program: "rpc-thread", start: numberOf(c.program, rpcThreadLoop), internal: true, cloned: null });
  }),
  s.jump("next", "next thread"),
  s.at("wait"),
  s.test("are all in their loops?", (c) => rpc(c).threads.length === RPC_THREADS, "done"),
  s.call("sched_yield", KERNEL.sched_yield, () => callArgs()),
  s.jump("wait", "wait"),
  s.at("done"),
  s.ret(),
]);

export const exitlessFlows = ({ waitsOn }: { waitsOn: boolean }): Flow[] => [exitless(waitsOn), loop, start];

/** Whatever interrupts a thread of the enclave interrupts the system calls of all RPC threads. */
export const interruptRpcThreads = <V extends object>(s: Steps<V>): Step =>
  s.call("tkill(SIGUSR2) to every RPC thread", KERNEL.tgkill, (c) => extended(sending([...rpc(c).threads], SIG.USR2), { wakeUp: true }));

/** An RPC thread without a request: nothing is to come of it. */
export const idlesOutside = (p: Process, t: Thread): boolean =>
  p.pal.sgx?.rpc.threads.includes(t.id) === true && t.host[0]?.v.request === -1;
