/**
 * Executes steps. A Cpu is a machine (the state) plus what belongs to a run and not to the state: the program, the block
 * being filled, interned texts, decisions made so far. Jumps that no step of a flow makes are in `control.ts`.
 */

import { BLOCK_ROWS, type Block, type Known, type Lists, MOST, newBlock } from "./block.ts";
import { ask, type ChoiceKind, type Chooser } from "./choice.ts";
import { WORDS } from "./code.ts";
import { hasBegun, newFrame } from "./control.ts";
import { ACT, CALL, type Compiled, type Placed, type Program, RET, type Step, TEST } from "./flow.ts";
import { isFrameOf, numberOf } from "./frames.ts";
import { outsideCode, restoreRt } from "./host/flows.ts";
import { tooLarge, tooMuch } from "./limits.ts";
import { type Declared, PIPE } from "./object-kinds.ts";
import type { Scenario } from "./scenario/schema.ts";
import { type SignalSet, setText } from "./signals.ts";
import type { Stack } from "./stack/stack.ts";
import {
  ENCLAVE,
  type Frame,
  HOST,
  type HostObject,
  keyOf,
  type Locals,
  type Machine,
  type Process,
  type SgxState,
  type StackId,
  setAt,
  type Thread,
} from "./state.ts";
import { NEVER } from "./time.ts";
import { type Arguments, type Decision, type KindId, type KindName, kindName, type ThreadInfo } from "./transition.ts";

const { depth: MOST_DEPTH, cssa: MOST_CSSA, preempt: MOST_PREEMPT, pending: MOST_PENDING } = MOST;
/** Places outside any thread's own code; see `engine/host/outside.ts`. */
export interface Wiring {
  readonly isHandler: readonly boolean[];
  /** Flows of the scenario's handlers, in its order. */
  readonly handlers: readonly number[];
  readonly stack: Stack;
  /** No library OS: the kernel is the application's own, as it was that of a log. */
  readonly native: boolean;
  /** First frames of a process's first thread, and of a further thread whose first own function is the flow `start` (-1: none). */
  readonly boot: () => Frame[];
  readonly bootThread: (start: number) => Frame[];
}

/** Plans of the scenario by what they wait for, ascending: a log has many, and few of them concern a step. */
export interface Pins {
  /** Those that come at times. */
  readonly timed: readonly number[];
  /** Name of a thread -> name of a call, or its number -> plans. */
  readonly calls: PlansOf<string | number>;
  /** Name of a thread -> signal of a handler -> plans. */
  readonly handlers: PlansOf<number>;
  /** Step number (`Placed.place`) -> plans; null when none waits for a step. */
  readonly sites: ReadonlyMap<number, readonly number[]> | null;
}

type PlansOf<K> = ReadonlyMap<string, ReadonlyMap<K, readonly number[]>>;

/** Nothing comes by itself. */
export const NO_PINS: Pins = { timed: [], calls: new Map(), handlers: new Map(), sites: null };

/** T and P are the threads and processes of the stack's generation; the machine and the kernel know those of every stack. */
export class Cpu<T extends Thread = Thread, P extends Process = Process> {
  /** The thread whose step is executed, and the arguments of the transition it makes. */
  t!: T;
  kind = 0;
  signal = 0;
  value = 0;
  extra = 0;
  detail = 0;
  /** Virtual ns at which the current step happens. */
  now = 0;
  /** Virtual ns this step takes beyond its kind's cost. */
  ns = 0;
  /** Something changed that another thread or plan may act on: look again who is next. */
  dirty = true;
  /** Null before the first row: a run that is only copied or looked at needs no memory for rows. */
  block: Block | null = null;
  readonly texts: string[] = [""];
  private readonly textIds = new Map<string, number>([["", 0]]);
  /** Texts of changes of masks, by the low halves before and after. */
  private readonly maskTexts = new Map<number, Map<number, number>>();
  readonly decisions: Decision[] = [];
  readonly threads: ThreadInfo[] = [];
  /**
   * Ids of the live threads that may go on by themselves, ascending; some that are not live any more, or sleep until somebody wakes
   * them, may still be here. `rouse` is told of each that is woken, so that sleepers cost nothing.
   */
  readonly awake: number[];
  pins: Pins = NO_PINS;

  constructor(
    readonly m: Machine<T, P>,
    readonly program: Program,
    readonly scenario: Scenario,
    readonly chooser: Chooser,
    readonly wiring: Wiring,
  ) {
    this.awake = [...m.live];
  }

  /** The thread may go on by itself, from now on. */
  rouse(id: number): void {
    const { awake } = this;
    let at = awake.length;
    while (at > 0 && (awake[at - 1] as number) > id) at -= 1;
    if (at === 0 || awake[at - 1] !== id) awake.splice(at, 0, id);
  }

  /** What the state leaves open: 0..n-1, 0 the default. Asked before anything is changed. */
  choose(kind: ChoiceKind, n: number): number {
    return ask(this.chooser, this.m, this.decisions, kind, n);
  }

  /** Execute the next step of `t` and record its transition. */
  step(t: T): void {
    const stack = t.stack === HOST ? t.host : t.enclave;
    const frame = stack[stack.length - 1] as Frame;
    const { starts, places, words, runs } = this.program.code;
    const { pc } = frame;
    const place = places[(starts[frame.flow] as number) + pc] as number;
    const word = WORDS * place;
    const run = runs[place] as Step["run"];
    const kind = words[word + 1] as number;
    const to = words[word + 2] as number;
    const context = t.signalFrames > 0 ? 1 : 0;
    this.begin(t, kind);
    frame.pc = pc + 1;
    switch (words[word]) {
      case ACT:
        run(this, frame.v);
        break;
      case TEST:
        if (run(this, frame.v)) {
          if (this.kind === kind) this.value = 1;
          frame.pc = to;
        }
        break;
      case CALL: {
        if (to >= 0) stack.push(newFrame(this.program, to, run(this, frame.v) as Locals));
        else {
          const entered = run(this, frame.v) as Frame | null;
          if (entered) stack.push(entered);
        }
        break;
      }
      case RET:
        run(this, frame.v);
        stack.pop();
        break;
      default:
        throw new Error(`seq ${this.m.seq}: thread ${t.name} is behind the last step of ${this.program.flows[frame.flow]?.name}`);
    }
    if (this.kind !== kind) this.checkKind(place);
    this.emit(t, 2 * place + context);
    t.time = this.now + (words[word + 3] as number) + this.ns;
  }

  /**
   * Record a transition of a place outside the thread's code, e.g. an asynchronous exit. It takes `ns` of the thread's
   * time; -1: it is none of the thread's doing and its clock stays.
   */
  happen(t: Thread, step: number, kind: number, ns: number): void {
    const flow = this.program.flows[numberOf(this.program, outsideCode)] as Compiled;
    this.kind = kind;
    this.emit(t, 2 * (flow.steps[step] as Placed).place + (t.signalFrames > 0 ? 1 : 0));
    if (ns >= 0) t.time = this.now + ns;
  }

  /** A signal of `t` left its queue, and no handler gets it: the next row says so, as the step that did it has its own. */
  stray<N extends KindName>(t: Thread | undefined, { signal, id }: { signal: number; id: number }, kind: KindId<N>, value = 0): void {
    if (t === undefined) return;
    this.m.strays.push({ thread: t.id, signal, id, kind, value });
    this.dirty = true;
  }

  /** Start collecting a transition's arguments. */
  begin(t: T, kind: number): void {
    this.t = t;
    this.now = Math.max(t.time, this.m.now);
    this.kind = kind;
    this.signal = 0;
    this.value = 0;
    this.extra = 0;
    this.detail = 0;
    this.ns = 0;
  }

  /** The row is of this kind, and these are its arguments: the typed way to tell them. */
  row<N extends KindName>(kind: KindId<N>, ...args: Arguments<N>): void;
  row(kind: number, value = 0, extra = 0): void {
    this.kind = kind;
    this.value = value;
    this.extra = extra;
  }

  private emit(t: Thread, site: number): void {
    const m = this.m;
    const b = this.block ?? this.firstBlock();
    const i = b.n;
    if (i === BLOCK_ROWS) throw new Error(`seq ${m.seq}: a turn of the loop made a second row, for which the block has no place`);
    b.time[i] = this.now;
    b.thread[i] = t.id;
    b.site[i] = site;
    b.kind[i] = this.kind;
    b.signal[i] = this.signal;
    // No negative zero: a value is an integer, and the same in memory, in both stores and in the digest.
    b.value[i] = this.value + 0;
    b.extra[i] = this.extra;
    const depth = t.host.length + t.enclave.length;
    const { columns } = this.wiring.stack;
    const cssa = columns.cssa === null ? 0 : columns.cssa(t);
    const preempt = columns.preempt === null ? 0 : columns.preempt(t);
    const pending = columns.pending === null ? 0 : columns.pending(t);
    if (depth > MOST_DEPTH || cssa > MOST_CSSA || preempt > MOST_PREEMPT || pending > MOST_PENDING)
      tooMuch(m.seq, t, { depth, cssa, preempt, pending });
    if (!(Math.abs(this.value) <= NEVER && this.now <= NEVER)) tooLarge(m.seq, t, this.value, this.now);
    b.depth[i] = depth;
    b.cssa[i] = cssa;
    b.preempt[i] = preempt;
    b.pending[i] = pending;
    b.detail[i] = this.detail;
    m.now = this.now;
    b.n = i + 1;
    m.seq += 1;
  }

  /** A kind that the step does not declare is our bug: a listing would not tell of it. */
  private checkKind(place: number): void {
    const { code, sites } = this.program;
    if (code.kinds[place]?.includes(this.kind)) return;
    throw new Error(
      `seq ${this.m.seq}: the step "${sites[2 * place]?.label}" is not declared to make a row of kind ${kindName(this.kind)}`,
    );
  }

  private firstBlock(): Block {
    const block = newBlock();
    block.seq0 = this.m.seq;
    this.block = block;
    return block;
  }

  /** Rows for which the block has a place. */
  get room(): number {
    return BLOCK_ROWS - (this.block?.n ?? 0);
  }

  process(t: Thread): P {
    return this.m.processes[t.process] as P;
  }

  /** A thread that is known to be alive. */
  thread(id: number): T {
    return this.m.threads[id] as T;
  }

  /** Threads of a process that are not dead. */
  threadsOf(p: Process): T[] {
    return p.threads.map((id) => this.thread(id));
  }

  /** All processes still known. */
  processes(): P[] {
    const { known, processes } = this.m;
    const all: P[] = [];
    for (const id of known) {
      const p = processes[id];
      if (p) all.push(p);
    }
    return all;
  }

  flowOf(name: string): number {
    const index = this.program.byName.get(name);
    if (index === undefined) throw new Error(`no flow "${name}" in this stack`);
    return index;
  }

  /** Go on where these lists end, as far as they are `known`. */
  know({ threads, texts, decisions }: Lists, known?: Known): void {
    for (const thread of threads.slice(0, known?.threads)) this.threads.push(thread);
    for (const text of texts.slice(0, known?.texts)) this.text(text);
    for (const decision of decisions.slice(0, known?.decisions)) this.decisions.push(decision);
  }

  /** Number of an interned text. For rare transitions only. */
  text(text: string): number {
    const known = this.textIds.get(text);
    if (known !== undefined) return known;
    const id = this.texts.push(text) - 1;
    this.textIds.set(text, id);
    return id;
  }

  /** The row sets a mask: its text says which was before and which is now. */
  tellMask(before: SignalSet, after: SignalSet): void {
    // Nearly always the same few masks, without real-time signals.
    const short = before[1] === 0 && after[1] === 0;
    const known = short ? this.maskTexts.get(before[0])?.get(after[0]) : undefined;
    this.detail = known ?? this.text(`mask ${setText(before)} -> ${setText(after)}`);
    if (!short || known !== undefined) return;
    const followers = this.maskTexts.get(before[0]);
    if (followers) followers.set(after[0], this.detail);
    else this.maskTexts.set(before[0], new Map([[after[0], this.detail]]));
  }

  newSignalId(): number {
    const id = this.m.nextSignalId;
    this.m.nextSignalId = id + 1;
    return id;
  }

  /** Number of a named object of the scenario, made on first use. */
  object(name: string): number {
    return (this.m.objectsByName[keyOf(name)] ??= this.newObject(name, 0, this.scenario.objects[name] ?? PIPE));
  }

  newObject(name: string, level = 0, { kind, nonblock }: Declared = PIPE): number {
    const made: HostObject = { name, level, closed: false, waiters: 0, messages: [], kind, nonblock, receiveTimeout: NEVER };
    const free = this.m.freeObjects.pop();
    if (free === undefined) return this.m.objects.push(made) - 1;
    setAt(this.m.objects, free, made);
    return free;
  }

  freeObject(id: number): void {
    this.m.freeObjects.push(id);
  }

  /** A name that was not given out before: name, name#2, ... */
  newName(kind: "thread" | "process", name: string): string {
    const key = `${kind} ${name}`;
    const count = (this.m.names[key] ?? 0) + 1;
    this.m.names[key] = count;
    return count === 1 ? name : `${name}#${count}`;
  }
}

export const stackOf = (t: Thread, stack: StackId): Frame[] => (stack === HOST ? t.host : t.enclave);

export const running = (t: Thread): Frame[] => stackOf(t, t.stack);

export const topFrame = (t: Thread): Frame => {
  const stack = running(t);
  return stack[stack.length - 1] as Frame;
};

export function push(t: Thread, frame: Frame): void {
  running(t).push(frame);
}

/** Drop frames above `depth` without running them: what setting RSP does. */
export function cut(c: Cpu, t: Thread, stack: StackId, depth: number): void {
  const frames = stackOf(t, stack);
  while (frames.length > depth) {
    const frame = frames.pop() as Frame;
    if (isFrameOf(c, frame, restoreRt)) t.signalFrames -= 1;
    // A handler counts from its first step on: another signal may have come before that.
    if (c.wiring.isHandler[frame.flow] && hasBegun(frame)) t.app.inHandler -= 1;
  }
}

export const inEnclave = (t: Thread): t is Thread & { sgx: SgxState } => t.sgx?.inside === 1;

/** The thread's own code can be interrupted: it is not inside the kernel. */
export function inUserMode(c: Cpu, t: Thread): boolean {
  if (t.stack === ENCLAVE) return true;
  const frame = t.host[t.host.length - 1];
  return frame === undefined || !(c.program.flows[frame.flow]?.kernel ?? false);
}

export const later = (a: number, b: number): number => (a >= NEVER || b >= NEVER ? NEVER : a + b);
