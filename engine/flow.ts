/**
 * A flow is a function of the emulated code: a named, ordered table of steps. A step has a label that reads like the line of
 * the diagram it stands for, does one thing and makes exactly one transition. What the real system can be interrupted inside
 * is several steps; what is atomic to a signal is one.
 */

import { type Code, codeOf } from "./code.ts";
import { type Costs, costOf } from "./costs.ts";
import type { Cpu } from "./cpu.ts";
import { type LocalsMaker, localsMaker } from "./locals.ts";
import { type Declares, type NoLocals, REFS, type Ref } from "./ref.ts";
import type { Frame, Locals } from "./state.ts";
import { CONTEXTS, INSTEAD, KIND, type KindName, kindName, type Layer, type Site } from "./transition.ts";

/** How `Cpu.step` treats a step; numbers for the hot switch. */
export const ACT = 0;
export const TEST = 1;
export const CALL = 2;
export const RET = 3;

export interface Step {
  readonly op: 0 | 1 | 2 | 3;
  readonly label: string;
  /** The kind its row has as a rule, and all that it may have (`INSTEAD` in transition.ts, and what the flow says). */
  readonly kind: number;
  readonly kinds: readonly number[];
  readonly ns: number;
  readonly run: (c: Cpu, v: Locals) => unknown;
  /** TEST: where to go when it holds, a mark before assembly. */
  readonly to: string;
  /** CALL: name of the callee, empty when `run` answers with the frame itself. */
  readonly callee: string;
  /** Several flows have this step, and it is one place: the flow under whose name it stands among the sites. */
  readonly sharedAs?: string | undefined;
}

/** Variables of a flow beside its arguments, as they are at its start. */
export interface Own {
  readonly own: Locals;
  /** What makes the frames, where several flows with the same variables and arguments share it. */
  readonly maker?: LocalsMaker | undefined;
}

/** A name for the next step, to jump to; no step of its own. */
export interface Mark {
  readonly mark: string;
  /** What the steps behind it differ in, where a step stands for many. */
  readonly rows?: Rows;
}

/** Rows of numbers, one for each step behind a mark: a step that stands at a million places is one object. */
export interface Rows {
  readonly numbers: Float64Array;
  /** Where the numbers of each row begin. */
  readonly starts: Uint32Array;
  /** Number of the first row's operation in its program. */
  readonly first: number;
}

/** The same with the position of the first step. */
export interface PlacedRows extends Rows {
  readonly at: number;
}

export interface FlowOptions {
  /** Runs in the kernel: signals wait until it is left. */
  readonly kernel?: boolean;
  /** Text segment that region tests see, when it is not the layer's own. */
  readonly text?: "vdso" | "aep" | undefined;
  /** How the page's diagram or the code differs here (reference, 0.2), for the listing. */
  readonly note?: string | undefined;
}

export interface Flow extends FlowOptions {
  readonly name: string;
  readonly layer: Layer;
  readonly source: string;
  readonly items: readonly (Step | Mark)[];
  /** Variables beside the arguments. */
  readonly own: Locals;
  readonly maker: LocalsMaker | undefined;
}

/** What a flow is written of. */
export type Item = Step | Mark | Own;

/** The kind of a step's row; several when that depends on how it comes out, the usual one first. */
export type Kinds = KindName | readonly [KindName, ...KindName[]];

type Run<V, C> = (c: C, v: V) => unknown;

/** A with no field that W has not: all frames of a flow have the same fields, and so one hidden class. */
export type Exactly<W, A extends W> = A & { readonly [K in Exclude<keyof A, keyof W>]: never };

/** Step constructors for a flow with locals V; C is the processor as the stack's generation knows it, with its threads and processes. */
export interface Steps<V, C = Cpu> {
  /** Change the world. A `jump` in it may move the flow's own place. */
  act(label: string, run?: Run<V, C>, kind?: Kinds): Step;
  /** Go to a mark when `when` holds. */
  test(label: string, when: Run<V, C>, to: string, kind?: Kinds): Step;
  jump(to: string, label?: string): Step;
  /** Enter another flow; `args` makes its locals, all of them. */
  call<W extends object, const A extends W>(label: string, callee: Ref<W>, args: (c: C, v: V) => Exactly<W, A>, kind?: Kinds): Step;
  call(label: string, callee: Ref<NoLocals>, args?: Run<V, C>, kind?: Kinds): Step;
  /** Enter a flow chosen at run time: `run` returns the frame (`enter`), or null to go on without a call. */
  callDynamic(label: string, run: (c: C, v: V) => Frame | null, kind?: Kinds): Step;
  /** Leave the flow; `run` may set the result in `c.t.rax` and the transition's arguments. */
  ret(label?: string, run?: Run<V, C>, kind?: Kinds): Step;
  at(mark: string): Mark;
  /**
   * Declares variables of the flow beside its arguments, with what they are at its start: all that it ever sets. Plain data that is replaced
   * and never changed in place, because a search observes it (engine/search/).
   */
  own(variables: Partial<V> & Locals, maker?: LocalsMaker): Own;
}

const nothing = (): void => {};
const noArgs = (): Locals => ({});

function step(op: Step["op"], label: string, kinds: Kinds, run: unknown, to = "", callee = ""): Step {
  const said = typeof kinds === "string" ? [kinds] : kinds;
  const [kind] = said;
  const all = [...new Set([...said, ...(INSTEAD[kind] ?? []), "undefined" as const])];
  return { op, label, kind: KIND[kind], kinds: all.map((name) => KIND[name]), ns: costOf(kind), run: run as Step["run"], to, callee };
}

const STEPS: Steps<never> = {
  act: (label, run = nothing, kind = "step") => step(ACT, label, kind, run),
  test: (label, when, to, kind = "branch") => step(TEST, label, kind, when, to),
  jump: (to, label = `go to ${to}`) => step(TEST, label, "branch", () => true, to),
  call: (label: string, callee: Pick<Ref<NoLocals>, "name">, args: unknown = noArgs, kind: Kinds = "call") =>
    step(CALL, label, kind, args, "", callee.name),
  callDynamic: (label, run, kind = "call") => step(CALL, label, kind, run),
  ret: (label = "return", run = nothing, kind = "return") => step(RET, label, kind, run),
  at: (mark) => ({ mark }),
  own: (variables, maker) => ({ own: variables, maker }),
};

/**
 * Declares the flow of a reference, or one that only its name finds (a scenario's). Its locals V are its arguments A and its own variables.
 * `source` is the section of the reference text it follows.
 */
export type FlowMaker<C> = <V extends object = Locals>(
  of: Declares<V> | string,
  layer: Layer,
  source: string,
  build: (steps: Steps<V, C>) => readonly (Item | null)[],
  options?: FlowOptions,
) => Flow;

export const flow: FlowMaker<Cpu> = (of, layer, source, build, options = {}) =>
  new LazyFlow(typeof of === "string" ? of : of.name, layer, source, build as unknown as Build, options);

type Build = (steps: Steps<never>) => readonly (Item | null)[];
type Built = Pick<Flow, "items" | "own" | "maker">;

/**
 * Its steps are made when it is put together: of most stacks that are loaded no flow is ever run. A class, since each object with getters of
 * its own would have a hidden class of its own, and a long log has ten thousand programs.
 */
class LazyFlow implements Flow {
  readonly kernel: boolean;
  readonly text: FlowOptions["text"];
  readonly note: FlowOptions["note"];
  private built: Built | null = null;

  constructor(
    readonly name: string,
    readonly layer: Layer,
    readonly source: string,
    private readonly build: Build,
    { kernel = false, text, note }: FlowOptions,
  ) {
    this.kernel = kernel;
    this.text = text;
    this.note = note;
  }

  get items(): Flow["items"] {
    return this.parts().items;
  }

  get own(): Flow["own"] {
    return this.parts().own;
  }

  get maker(): Flow["maker"] {
    return this.parts().maker;
  }

  private parts(): Built {
    this.built ??= partsOf(this.build(STEPS));
    return this.built;
  }
}

function partsOf(written: readonly (Item | null)[]): Built {
  const items = written.filter((item): item is Step | Mark => item !== null && !("own" in item));
  const declared = written.flatMap((item) => (item !== null && "own" in item ? [item] : []));
  return {
    items,
    own: Object.assign({}, ...declared.map(({ own }) => own)),
    maker: declared.find(({ maker }) => maker !== undefined)?.maker,
  };
}

/** `flow` for the flows of a generation: they run on its threads only. */
export const flowFor = <C extends Cpu>(): FlowMaker<C> => flow as FlowMaker<never> as FlowMaker<C>;

/** A step made ready to run. One that stands at several positions is one object. */
export interface Placed {
  readonly op: Step["op"];
  readonly kind: number;
  readonly ns: number;
  readonly run: Step["run"];
  /** TEST: where to go when it holds. CALL: number of the callee, -1 when `run` answers with the frame itself. */
  readonly to: number;
  /** Number among all steps of the program; the site id is `2 * place + context`. */
  readonly place: number;
  readonly label: string;
  readonly kinds: readonly number[];
}

/** A flow made ready to run: marks resolved to positions, callees to numbers. */
export interface Compiled {
  readonly name: string;
  readonly layer: Layer;
  readonly kernel: boolean;
  readonly text: string;
  /** Makes the variables of its frames. */
  readonly locals: LocalsMaker;
  readonly steps: readonly Placed[];
  /** Mark to position, for `control.ts`. */
  readonly marks: ReadonlyMap<string, number>;
  /** In the order of their positions. */
  readonly rows: readonly PlacedRows[];
}

export interface Program {
  readonly flows: readonly Compiled[];
  readonly byName: ReadonlyMap<string, number>;
  /** By `Ref.id`: the flow's number here, -1 when there is none. */
  readonly numbers: Int32Array;
  readonly sites: readonly Site[];
  readonly code: Code;
}

export class FlowError extends Error {}

const NO_FLOWS: Program = { flows: [], byName: new Map(), numbers: new Int32Array(0), sites: [], code: codeOf([]) };

/**
 * Put flows together, behind those of `below`, which keep their numbers and do not call them. A name declared twice, a missing callee or
 * mark is our bug and throws.
 */
export function assemble(added: readonly Flow[], costs: Costs = {}, below: Program = NO_FLOWS): Program {
  const byName = new Map(below.byName);
  for (const f of added) {
    if (byName.has(f.name)) throw new FlowError(`flow declared twice: ${f.name}`);
    byName.set(f.name, byName.size);
  }
  const sites: Site[] = below.sites.slice();
  const pricedSteps = new Map<Step, Step>();
  const shared = new Map<Step, Placed>();
  const flows = added.map((f): Compiled => {
    const steps = priced(
      f.items.filter((item): item is Step => "op" in item),
      costs,
      pricedSteps,
    );
    const marks = new Map<string, number>();
    const rows: PlacedRows[] = [];
    let position = 0;
    for (const item of f.items) {
      if ("op" in item) position += 1;
      else if (item.rows === undefined) marks.set(item.mark, position);
      else rows.push({ numbers: item.rows.numbers, starts: item.rows.starts, first: item.rows.first, at: position });
    }
    const to = (s: Step): number => {
      if (s.to !== "") return marks.get(s.to) ?? fail(`${f.name}: no mark "${s.to}"`);
      return s.callee === "" ? -1 : (byName.get(s.callee) ?? fail(missing(f, s)));
    };
    const own = new Map<Step, Placed>();
    const place = (s: Step, index: number): Placed => {
      const { sharedAs, op, kind, ns, run, label, kinds } = s;
      const known = (sharedAs === undefined ? own : shared).get(s);
      if (known !== undefined) return known;
      const number = sites.length / CONTEXTS.length;
      const flow = sharedAs ?? f.name;
      const step = sharedAs === undefined ? index : shared.size;
      for (const context of CONTEXTS) sites.push({ flow, step, label, layer: f.layer, context, source: f.source });
      const made = { op, kind, ns, run, to: to(s), place: number, label, kinds };
      (sharedAs === undefined ? own : shared).set(s, made);
      return made;
    };
    return {
      name: f.name,
      layer: f.layer,
      kernel: f.kernel ?? false,
      text: f.text ?? f.layer,
      locals: f.maker ?? localsMaker(f.own),
      steps: steps.map(place),
      marks,
      rows,
    };
  });
  const numbers = Int32Array.from(REFS, ({ name }) => byName.get(name) ?? -1);
  const all = [...below.flows, ...flows];
  return { flows: all, byName, numbers, sites, code: codeOf(all) };
}

/** The steps with the costs that the stack declares for their kinds. A step at several positions stays one: `made` has those before. */
function priced(steps: readonly Step[], costs: Costs, made: Map<Step, Step>): Step[] {
  return steps.map((s) => {
    const cost = costs[kindName(s.kind) as KindName];
    if (cost === undefined) return s;
    const known = made.get(s) ?? { ...s, ns: cost.ns };
    made.set(s, known);
    return known;
  });
}

const missing = ({ name }: Flow, { callee, label }: Step): string =>
  `${name}: no flow "${callee}" (step "${label}"). ` +
  "None of the lists that the stack puts together has it: engine/README.md, To add something, says where flows go";

function fail(message: string): never {
  throw new FlowError(message);
}
