/**
 * One pass over the blocks for all rules: the model takes a row, then come the listeners of its kind, then those of its place. A row that
 * neither model nor rules need costs a look at a table, and one more while some rule listens to places.
 */

import { setImmediate as turn } from "node:timers/promises";
import { type Block, KIND, KIND_COUNT, type KindName, type Sink } from "../engine/index.ts";
import { Audience } from "./audience.ts";
import { createExits } from "./exits.ts";
import type { Finding } from "./finding.ts";
import { type AnalysisResult, createKeeping } from "./keeping.ts";
import { CHANGES_STATE, endTrace, finishTrace, SCOPE_NAMES, ThreadModel, takeRow, whileOpen } from "./model/index.ts";
import type { Names } from "./names.ts";
import type { Rule, Subscription } from "./rule.ts";
import { RULES } from "./rules/index.ts";

export interface Analysis extends Sink {
  /**
   * End of the trace: the findings in order of their first transition. `isOver`: the run ended because nobody was left who could do
   * anything; whoever sleeps sleeps for ever.
   */
  finish(isOver?: boolean): AnalysisResult;
}

/**
 * Takes the blocks of a run or trace in order. `names` may still grow meanwhile. `onFirst` is told the first finding of each fingerprint as
 * soon as its last transition was taken.
 */
export function createAnalysis(names: Names, rules: readonly Rule[] = RULES, onFirst?: (finding: Finding) => void): Analysis {
  const byEnd: (Audience | null)[] = SCOPE_NAMES.map(() => null);
  const model = new ThreadModel(names, (type) => byEnd[type]?.tell());
  const byKind: (Audience | null)[] = Array.from({ length: KIND_COUNT }, () => null);
  const byPlace = new Map<string, Audience>();
  const atEnd = new Audience(model, "trace.end");
  const exits = createExits();
  const kept = createKeeping(exits.between, onFirst);
  for (const kind of rules.length === 0 ? [] : (["sgx.aex", "sgx.eexit"] as const))
    audienceOf(kind).add(() => exits.note(model.thread, model.seq));
  for (const rule of rules) {
    for (const [name, listener] of Object.entries(rule.start(model, kept.of(rule)))) {
      if (listener === undefined) continue;
      const waitsForLibos = !rule.generations.includes("any") && OF_THE_APPLICATION.has(name);
      audienceOf(name as Subscription).add(waitsForLibos ? whileOpen(model.libos, listener) : listener);
    }
  }
  let [lastSeq, lastTime] = [0, 0];
  const needed = Uint8Array.from(byKind, (one, kind) => (one !== null || (rules.length > 0 && CHANGES_STATE[kind] === 1) ? 1 : 0));
  const pass: Pass = { model, byKind, places: new Places(names, byPlace), needed };

  function audienceOf(name: Subscription): Audience {
    if (name === "trace.end") return atEnd;
    if (name.startsWith("at ")) {
      const place = name.slice("at ".length);
      const known = byPlace.get(place) ?? new Audience(model, name);
      byPlace.set(place, known);
      return known;
    }
    const type = ENDS.get(name);
    const [list, id] = type !== undefined ? [byEnd, type] : [byKind, KIND[name as KindName] as number | undefined];
    if (id === undefined) throw new Error(`no kind and no end of a scope is called "${name}"`);
    const known = list[id] ?? new Audience(model, name);
    list[id] = known;
    return known;
  }

  return {
    put(block: Block): void {
      if (block.n === 0) return;
      takeBlock(pass, block);
      lastSeq = block.seq0 + block.n - 1;
      lastTime = block.time[block.n - 1] as number;
    },
    finish(isOver = names.ending === "finished") {
      endTrace(model, lastSeq, lastTime, isOver);
      atEnd.tell();
      finishTrace(model);
      return kept.result();
    },
  };
}

const ENDS: ReadonlyMap<string, number> = new Map(SCOPE_NAMES.map((scope, type) => [`${scope}.end`, type]));

interface Pass {
  readonly model: ThreadModel;
  /** Null: nobody listens. */
  readonly byKind: readonly (Audience | null)[];
  readonly places: Places;
  /** By kind: 1 when model or rules look at its rows wherever they are made. */
  readonly needed: Uint8Array;
}

/** No closure of an analysis: what the compiler learns of it in one holds for the next. */
function takeBlock({ model, byKind, places, needed }: Pass, block: Block): void {
  const { kind, site, n } = block;
  let { known } = places;
  for (let row = 0; row < n; row += 1) {
    const id = kind[row] as number;
    const at = site[row] as number;
    let here = known[at] ?? UNKNOWN;
    if (here === NOBODY && needed[id] === 0) continue;
    if (here === UNKNOWN) {
      here = places.lookUp(at);
      known = places.known;
      if (here === NOBODY && needed[id] === 0) continue;
    }
    takeRow(model, block, row);
    byKind[id]?.tell();
    if (here !== NOBODY) places.audiences[here]?.tell();
  }
}

/**
 * Rows of which a trace of plain Linux is full. A rule of a library OS is asked about them from the first row on that only a library OS
 * makes: what it knows is how that one goes wrong.
 */
const OF_THE_APPLICATION: ReadonlySet<string> = new Set<Subscription>([
  "app.call",
  "app.return",
  "thread.block",
  "thread.wake",
  "call.end",
]);

const UNKNOWN = 0;
const NOBODY = 1;

/** Who listens to places, by the number of a site. Sites are looked up once: names may still grow. */
class Places {
  /** By site: UNKNOWN, NOBODY, or the place in `audiences`. */
  known = new Uint16Array(1024);
  readonly audiences: (Audience | null)[] = [null, null];

  constructor(
    private readonly names: Names,
    private readonly byPlace: ReadonlyMap<string, Audience>,
  ) {}

  lookUp(site: number): number {
    const at = this.names.sites[site];
    if (at === undefined) return NOBODY;
    const audience = this.byPlace.get(`${at.flow}: ${at.label}`);
    if (site >= this.known.length) {
      const larger = new Uint16Array(2 * site);
      larger.set(this.known);
      this.known = larger;
    }
    this.known[site] = audience === undefined ? NOBODY : this.audiences.push(audience) - 1;
    return this.known[site] as number;
  }
}

/** The part of a recorded trace that the rules need. */
export type Analyzable = Names & {
  rows(): Iterable<Block>;
  /** How the recording ended, where it tells. */
  readonly transitions?: { readonly end: { readonly reason: string } | null };
};

export interface AnalyzeOptions {
  /** All rules without it. */
  readonly rules?: readonly Rule[] | undefined;
  /** Ends the analysis. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each block with the number of rows analyzed. */
  readonly onProgress?: ((rows: number) => void) | undefined;
}

/** Analyzes a recorded trace. Yields to the event loop after each block, for timers and signals. Null when `signal` was aborted. */
export async function analyze(trace: Analyzable, options: AnalyzeOptions = {}): Promise<AnalysisResult | null> {
  const { rules, signal, onProgress } = options;
  const analysis = createAnalysis(trace, rules);
  for (const block of trace.rows()) {
    analysis.put(block);
    onProgress?.(block.seq0 + block.n);
    await turn();
    if (signal?.aborted === true) return null;
  }
  return analysis.finish(trace.transitions?.end?.reason === "finished");
}
