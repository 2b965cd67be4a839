/**
 * The whole state of the machine after any transition: the keyframe before it, and the run from there. A state is only shown when
 * it is the recording's: the build is the same where it matters, and the rows that the run makes are the recorded ones.
 */

import { runOf } from "../../../analyzer/index.ts";
import { type Block, boot, type Machine, type Run, type Site } from "../../../engine/index.ts";
import type { Keyframe, Trace } from "../../../recorder/index.ts";
import { packageVersion } from "../../package-root.ts";
import type { Rows } from "../navigate/rows.ts";
import { listsWrong, misshapen } from "./keyframe-form.ts";

export interface StandingAt {
  readonly machine: Machine;
  readonly run: Run;
}

export type StateAt = StandingAt | { readonly none: string };

export interface MachineAt {
  /** The machine after transition `seq`, or why there is none. The machine is the run's own: look, do not keep. */
  at(seq: number): StateAt;
  /** What the case is about, "" when nothing says it. */
  readonly title: string;
}

/** Transitions between the run that stands somewhere and the one that is kept behind it. */
const BEHIND = 1000;

/** A run that stands after `seq`, and what its rows showed so far. */
interface Standing {
  readonly run: Run;
  seq: number;
  /** First seq at which it is not the recording; infinite as long as it is. */
  partedAt: number;
  why: string;
}

export function machinesOf(trace: Trace, rows: Rows): MachineAt {
  const { info } = trace;
  if (info.origin !== "emulated")
    return { at: () => ({ none: "imported from a real run: its rows tell this; masks, locks and registers they do not tell" }), title: "" };

  /** A script asks nobody at each step; where it does not make the recording (of an experiment, say), the recorded decisions do. */
  let scheduler: "scripted" | undefined = info.scheduler === "scripted" ? "scripted" : undefined;
  /** The run put together anew: what keyframes are measured by. */
  let model: Run | { none: string } | null = null;
  /** Going on is cheaper than going back to a keyframe. */
  let here: Standing | null = null;
  /** The run a little before it: going back is as quick as going on. */
  let behind: Standing | null = null;

  function modelOf(): Run | { none: string } {
    if (model !== null) return model;
    try {
      const run = runOf(trace, { scheduler });
      const other = firstOtherSite(trace.sites, run.sites);
      model = other === null ? run : { none: `${elsewhere(trace)}: ${other}. Record the case again to see its states` };
    } catch (error) {
      model = { none: message(error) };
    }
    return model;
  }

  function start(seq: number, like: Run): Standing | { none: string } {
    const keyframe = trace.keyframeBefore(seq);
    if (keyframe === null) return { run: like.clone(), seq: -1, partedAt: Number.POSITIVE_INFINITY, why: "" };
    const wrong = notOurs(keyframe, like, trace);
    if (wrong !== null) return { none: `${elsewhere(trace)}: keyframe after seq ${keyframe.seq}: ${wrong}` };
    // The list of decisions is sorted once, by the first run.
    const run = boot({ ...like.options, chooser: like.cpu.chooser.fork() }, keyframe.state, trace);
    return { run, seq: keyframe.seq, partedAt: Number.POSITIVE_INFINITY, why: "" };
  }

  function stateAt(seq: number): StateAt {
    const like = modelOf();
    if ("none" in like) return like;
    const keyframe = trace.keyframeSeq(seq);
    if (here === null || here.seq > seq || keyframe > here.seq) {
      const started = behind !== null && behind.seq <= seq && behind.seq >= keyframe ? copyOf(behind) : start(seq, like);
      if ("none" in started) return started;
      here = started;
    }
    if (seq - here.seq > BEHIND && here.partedAt > seq) {
      goOn(here, seq - BEHIND, rows, trace);
      behind = copyOf(here);
    }
    if (here.seq < seq && here.partedAt > seq) goOn(here, seq, rows, trace);
    return here.partedAt > seq ? { machine: here.run.machine, run: here.run } : { none: here.why };
  }

  function forget(): void {
    here = null;
    behind = null;
  }

  function stateOrWhy(seq: number): StateAt {
    try {
      return stateAt(seq);
    } catch (error) {
      // A state from a stranger's file may drive the engine into anything.
      forget();
      return { none: `the state after seq ${seq} cannot be made: ${message(error)}` };
    }
  }

  return {
    at(seq) {
      const state = stateOrWhy(seq);
      if (!("none" in state) || scheduler === undefined) return state;
      scheduler = undefined;
      model = null;
      forget();
      return stateOrWhy(seq);
    },
    get title() {
      const like = modelOf();
      return "none" in like ? "" : like.options.scenario.title;
    },
  };
}

const copyOf = (standing: Standing): Standing => ({ ...standing, run: standing.run.clone() });

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const elsewhere = ({ info }: Trace): string =>
  info.eintr === packageVersion() ? "recorded by another build of eintr" : `recorded by eintr ${info.eintr}, this is ${packageVersion()}`;

/** Keyframes name flows and steps by number: the lists must be the same ones. Says the first place where they are not. */
function firstOtherSite(recorded: readonly Site[], own: readonly Site[]): string | null {
  const text = (site: Site | undefined): string => (site === undefined ? "nothing" : `${site.layer}, ${site.flow}: ${site.label}`);
  for (let i = 0; i < Math.max(recorded.length, own.length); i += 1) {
    const [a, b] = [recorded[i], own[i]];
    if (a?.step !== b?.step || text(a) !== text(b)) return `site ${i} is "${text(a)}" there and "${text(b)}" here`;
  }
  return null;
}

/** Why a keyframe is none of this build and this trace; null when it is. */
function notOurs(keyframe: Keyframe, like: Run, trace: Trace): string | null {
  let value: unknown;
  try {
    value = JSON.parse(keyframe.state);
  } catch {
    return "not JSON";
  }
  const wrong = misshapen(value, like) ?? listsWrong((value as { lists?: unknown }).lists, trace);
  if (wrong !== null) return `${wrong} is not what a state has there`;
  const { seq } = value as Machine;
  // The machine's seq is that of the transition to come.
  return seq === keyframe.seq + 1 ? null : `it is the state after seq ${seq - 1}`;
}

const COMPARED = ["kind", "site", "thread", "depth"] as const;

/** Run to `seq`; each row that is made must be the recorded one. */
function goOn(here: Standing, seq: number, rows: Rows, trace: Trace): void {
  let next = here.seq + 1;
  const sink = {
    put(made: Block): void {
      for (let i = 0; i < made.n && here.partedAt > seq; ) {
        const place = rows.block(next);
        if (place === null) return part(here, next, "the run goes on after the recording's end", trace);
        const count = Math.min(made.n - i, place.block.n - place.row);
        const differs = firstOther(made, i, place.block, place.row, count);
        if (differs !== null) return part(here, next + differs.row, `the run makes another ${differs.column} than the recording`, trace);
        i += count;
        next += count;
      }
    },
  };
  while (here.run.run(seq + 1 - here.run.machine.seq, sink) && here.run.machine.seq <= seq);
  here.run.flush(sink);
  here.seq = seq;
  if (here.partedAt > seq && next <= seq) part(here, next, "the run ends before the recording", trace);
}

/** The first of `count` rows in which the blocks differ. */
function firstOther(made: Block, i: number, recorded: Block, j: number, count: number): { row: number; column: string } | null {
  let found: { row: number; column: string } | null = null;
  let rows = count;
  for (const column of COMPARED) {
    const [a, b] = [made[column], recorded[column]];
    for (let row = 0; row < rows; row += 1) {
      if (a[i + row] === b[j + row]) continue;
      found = { row, column };
      rows = row;
    }
  }
  return found;
}

function part(here: Standing, seq: number, how: string, trace: Trace): void {
  here.partedAt = seq;
  here.why = `no state from seq ${seq} on: ${how} (${elsewhere(trace)}). eintr rerun ${trace.dir} says more`;
}
