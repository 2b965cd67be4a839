/**
 * What holds in every state of a machine, between any two transitions, whatever the scenario. A broken one is a bug of the
 * engine, never of the emulated code: that may leak preempt, drop signals and keep locks, but not share a frame or miscount a ring.
 */

import { hasBegun } from "./control.ts";
import type { Cpu } from "./cpu.ts";
import type { Program } from "./flow.ts";
import { handlerFlow } from "./flow-names.ts";
import { numberOf } from "./frames.ts";
import { restoreRt } from "./host/flows.ts";
import { NSSA } from "./sgx/leaf.ts";
import { hasSignal, isSynchronous, linuxDefault, SIG, SIGNAL_COUNT } from "./signals.ts";
import type { Look } from "./stack/stack.ts";
import { ENCLAVE, HOST, type HostSignal, type Machine, type Process, type Thread } from "./state.ts";
import { NEVER } from "./time.ts";

/** What is being looked at: broken laws are collected in `wrong`, each with the thread or process it is about. */
interface Check {
  readonly m: Machine;
  readonly program: Program;
  readonly restorer: number;
  readonly isHandler: readonly boolean[];
  readonly wrong: string[];
}

const handlerLists = new WeakMap<Program, boolean[]>();

/** By flow. A program never changes and has thousands of them. */
function handlersOf(program: Program): boolean[] {
  let list = handlerLists.get(program);
  if (list === undefined) handlerLists.set(program, (list = program.flows.map((flow) => flow.name.startsWith(handlerFlow("")))));
  return list;
}

/** The laws this state breaks, one line each; an empty list when all is well. */
export function checkInvariants({ m, program, wiring }: Cpu): string[] {
  const isHandler = handlersOf(program);
  const check: Check = { m, program, restorer: numberOf(program, restoreRt), isHandler, wrong: [] };
  const look = lookAt(check);
  checkOwners(check, look);
  checkMembership(check);
  checkObjects(check, look);
  for (const t of m.threads) if (t) checkThread(check, t);
  for (const p of m.processes) if (p) checkProcess(check, p);
  wiring.stack.laws(look);
  return check.wrong;
}

/** A frame, its locals and a thread's own lists have one owner (a copied reference would be edited twice). */
function checkOwners({ m }: Check, { own, ownFrames }: Look): void {
  for (const t of m.threads) {
    if (!t) continue;
    const name = `thread ${t.name}`;
    ownFrames(t.host, `${name}: host stack`);
    ownFrames(t.enclave, `${name}: enclave stack`);
    t.sgx?.ssa.forEach((ssa, i) => {
      own(ssa, `${name}: SSA[${i}]`);
      if (ssa) ownFrames(ssa.push, `${name}: SSA[${i}].push`);
    });
    own(t.hostPending, `${name}: pending`);
    own(t.app.places, `${name}: places`);
  }
  for (const p of m.processes) {
    if (!p) continue;
    own(p.hostActions, `process ${p.name}: actions`);
    own(p.hostPending, `process ${p.name}: pending`);
    for (const action of Object.values(p.hostActions)) own(action, `process ${p.name}: action`);
  }
}

/** What the laws of a stack are given. */
function lookAt({ m, program, wrong }: Check): Look {
  const owners = new Map<object, string>();
  const own = (value: object | null, owner: string): void => {
    if (!value) return;
    const other = owners.get(value);
    if (other) wrong.push(`${owner} and ${other} are one object`);
    owners.set(value, owner);
  };
  const free = new Set(m.freeObjects);
  return {
    m,
    program,
    wrong: (what) => {
      wrong.push(what);
    },
    own,
    ownFrames(list, owner) {
      own(list, owner);
      list.forEach((frame, i) => {
        own(frame, `${owner}[${i}]`);
        own(frame.v, `${owner}[${i}].v`);
      });
    },
    uses(id, by) {
      if (m.objects[id] === undefined || free.has(id)) wrong.push(`${by} uses object ${id}, which is free`);
    },
  };
}

/** Where the list has something: of the threads and processes of a long run most are gone. */
function placesOf(list: readonly (object | null)[]): number[] {
  const places: number[] = [];
  for (let i = 0; i < list.length; i += 1) if (list[i]) places.push(i);
  return places;
}

/** Lists of threads and processes agree with each other. */
function checkMembership({ m, wrong }: Check): void {
  const known = placesOf(m.threads);
  if (known.join() !== m.live.join()) wrong.push(`live threads ${m.live.join()}, known ones ${known.join()}`);
  const processes = placesOf(m.processes);
  if (processes.join() !== m.known.join()) wrong.push(`known processes ${m.known.join()}, there are ${processes.join()}`);
  for (const id of known) {
    const t = m.threads[id] as Thread;
    if (t.id !== id) wrong.push(`thread ${t.name} has id ${t.id} at ${id}`);
    if (!m.processes[t.process]?.threads.includes(id)) wrong.push(`thread ${t.name} is not in the list of its process`);
  }
  for (const id of processes) {
    const p = m.processes[id] as Process;
    if (p.id !== id) wrong.push(`process ${p.name} has id ${p.id} at ${id}`);
    for (const thread of p.threads) if (m.threads[thread]?.process !== id) wrong.push(`process ${p.name} lists thread ${thread}`);
    if (p.threads.length === 0 && p.alive) wrong.push(`process ${p.name} is alive without a thread`);
  }
  for (const due of m.due) {
    if (due >= m.plans.length || (due < 0 && m.processes[-1 - due] === undefined)) wrong.push(`nothing is due as ${due}`);
  }
}

/** Host objects: levels are counts, a free object is in nobody's hands. */
function checkObjects({ m, wrong }: Check, { uses }: Look): void {
  if (new Set(m.freeObjects).size !== m.freeObjects.length) wrong.push("an object is free twice");
  m.objects.forEach((object, id) => {
    if (object.level < 0) wrong.push(`object ${object.name} (${id}) has level ${object.level}`);
  });
  for (const [name, id] of Object.entries(m.objectsByName)) uses(id, name);
}

function checkThread(check: Check, t: Thread): void {
  const { m, wrong } = check;
  const say = (what: string): void => {
    wrong.push(`thread ${t.name}: ${what}`);
  };
  if (t.state === "dead") say("dead, but still known");
  if (t.state === "blocked" && t.wait === null) say("blocked, but waits for nothing");
  if (t.state === "blocked" && t.dying) say("dying, but still asleep");
  // Who computes for ever is at most that far beyond all time.
  if (!(t.time >= 0 && t.time <= 2 * NEVER)) say(`its clock shows ${t.time}`);
  checkStacks(check, t, say);
  checkSgx(check, t, say);
  checkSleep(check, t, say);
  checkPendings(m, t, say);
}

/** Calls that take what is there: none of them sleeps while there is something. */
const TAKERS: ReadonlySet<string> = new Set(["read", "accept", "poll", "semop", "msgrcv"].map((name) => `host ${name}`));
/** What the PAL's waits are told of by a write: nobody is left asleep. Of an event or a lock a wake-up may get lost (3.4 sgx-wakeup-ocall-abandoned). */
const WRITTEN: ReadonlySet<string> = new Set(["ipc port", "async_helper_event"]);

/** Looking and going to sleep are one action (reference, 1.2), and who fills an object wakes its sleepers. */
function checkSleep({ m, program }: Check, t: Thread, say: Say): void {
  if (t.state !== "blocked") return;
  const call = program.flows[t.host.at(-1)?.flow ?? 0]?.name ?? "";
  for (const id of t.wait?.objects ?? []) {
    const object = m.objects[id];
    if (object && object.level > 0 && (TAKERS.has(call) || WRITTEN.has(object.name)))
      say(`sleeps in ${call} although ${object.name} is ready`);
  }
}

type Say = (what: string) => void;

/** Every frame is a place in a flow; signal frames and handlers are counted as they lie on the stacks. */
function checkStacks({ program, restorer, isHandler }: Check, t: Thread, say: Say): void {
  const top = t.stack === HOST ? t.host.at(-1) : t.enclave.at(-1);
  if (!top) say("runs on an empty stack");
  let signalFrames = 0;
  let handlers = 0;
  for (const frame of [...t.host, ...t.enclave]) {
    const flow = program.flows[frame.flow];
    const last = (flow?.steps.length ?? 0) - (frame === top ? 1 : 0);
    if (!flow) say(`frame of unknown flow ${frame.flow}`);
    else if (!(frame.pc >= 0 && frame.pc <= last)) say(`frame of ${flow.name} at step ${frame.pc} of ${flow.steps.length}`);
    if (frame.flow === restorer) signalFrames += 1;
    // A handler counts from its first step on.
    if (isHandler[frame.flow] && hasBegun(frame)) handlers += 1;
  }
  if (t.signalFrames !== signalFrames) say(`signalFrames is ${t.signalFrames}, on its stacks are ${signalFrames}`);
  if (t.app.inHandler !== handlers) say(`inHandler is ${t.app.inHandler}, on its stacks are ${handlers}`);
}

/** CSSA counts the filled SSA frames; enclave code runs only with one to spare. */
function checkSgx({ m }: Check, t: Thread, say: Say): void {
  const { sgx } = t;
  if (t.process >= m.processes.length) say(`belongs to process ${t.process}`);
  if (!sgx) {
    if (t.stack === ENCLAVE || t.enclave.length > 0) say("has an enclave stack without an enclave");
    return;
  }
  if (!(sgx.cssa >= 0 && sgx.cssa <= NSSA)) say(`CSSA is ${sgx.cssa}`);
  sgx.ssa.forEach((ssa, i) => {
    if ((ssa !== null) !== i < sgx.cssa) say(`SSA[${i}] is ${ssa ? "filled" : "empty"} with CSSA ${sgx.cssa}`);
  });
  if (sgx.inside === 1 && sgx.cssa >= NSSA) say("enclave code runs without a free SSA frame");
  if (t.stack === ENCLAVE && sgx.inside === 0) say("untrusted code runs on the enclave stack");
  if (!sgx.mapped && (sgx.inside === 1 || sgx.cssa > 0 || t.enclave.length > 0)) say("in an enclave without a TCS");
}

/** Signals that the kernel keeps: nothing deliverable is overlooked. */
function checkPendings(m: Machine, t: Thread, say: Say): void {
  checkQueue(m, t.hostPending, say);
  const due = t.hostPending.find((pending) => !hasSignal(t.hostMask, pending.signal));
  if (due && !t.check && !t.dying) say(`does not look for its pending signal ${due.signal}`);
  const p = m.processes[t.process];
  if (due && t.state === "blocked" && t.wait?.interruptible && p && !p.stopped && ends(p, due.signal))
    say(`sleeps although signal ${due.signal} is deliverable`);
}

/** A signal that ends a wait: with a handler or an action that is not to ignore. */
function ends(p: Process, signal: number): boolean {
  const action = p.hostActions[signal];
  return action ? action.flow >= 0 : linuxDefault(signal) !== "ignore" && signal !== SIG.CONT;
}

function checkQueue(m: Machine, queue: readonly HostSignal[], say: Say): void {
  const seen = new Set<number>();
  for (const { signal, id } of queue) {
    if (!(signal >= 1 && signal <= SIGNAL_COUNT)) say(`signal ${signal} is pending`);
    if (!(id > 0 && id < m.nextSignalId)) say(`signal id ${id} is pending`);
    if (signal <= SIG.SYS && !isSynchronous(signal) && seen.has(signal)) say(`signal ${signal} is pending twice`);
    seen.add(signal);
  }
}

function checkProcess({ m, program, wrong }: Check, p: Process): void {
  const say = (what: string): void => {
    wrong.push(`process ${p.name}: ${what}`);
  };
  checkQueue(m, p.hostPending, say);
  const threads = p.threads.flatMap((id) => m.threads[id] ?? []);
  for (const { signal } of p.hostPending) {
    const takers = threads.filter((t) => !hasSignal(t.hostMask, signal));
    const looked = takers.some((t) => t.check && (t.state === "run" || p.stopped || !t.wait?.interruptible || !ends(p, signal)));
    if (p.alive && takers.length > 0 && !looked) say(`nobody looks for pending signal ${signal}`);
  }
  if (p.parent >= p.id) say(`its parent is process ${p.parent}`);
  for (const [signal, action] of Object.entries(p.hostActions)) {
    if (action.flow >= program.flows.length) say(`signal ${signal} leads to flow ${action.flow}`);
  }
  if (!p.alive && p.timer < NEVER) say("is over, but its timer runs");
  if (!p.alive && p.stopped) say("is over and stopped");
}
