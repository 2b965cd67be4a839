/** A run whose state is observed: it makes the same transitions as the run it comes from, and can be taken back. */

import { Cpu } from "../cpu.ts";
import { Run } from "../run.ts";
import { hashHigh, hashLow, setHash } from "./hash.ts";
import { forget, mark, undo } from "./journal.ts";
import { machineLayout } from "./machine-layout.ts";
import { observe } from "./observed.ts";
import { ROOT } from "./places.ts";

/** A state to come back to. */
export interface Moment {
  readonly at: number;
  readonly seq: number;
  readonly idle: number;
  readonly now: number;
  readonly low: number;
  readonly high: number;
  readonly decisions: number;
}

/** A copy of `run` with an observed state. One at a time: making another ends the life of the one before. */
export function observeRun(run: Run): Run {
  forget();
  setHash(0, 0);
  const { cpu } = run;
  const copy = new Cpu(
    observe(machineLayout(cpu.wiring.stack.layout), cpu.m, ROOT),
    cpu.program,
    cpu.scenario,
    cpu.chooser.fork(),
    cpu.wiring,
  );
  copy.pins = cpu.pins;
  copy.know(cpu);
  return new Run(run.options, copy);
}

export function moment({ cpu }: Run): Moment {
  const { seq, idle, now } = cpu.m;
  return { at: mark(), seq, idle, now, low: hashLow(), high: hashHigh(), decisions: cpu.decisions.length };
}

/** Takes back all that was done since. What belongs to the run and not to its state follows the state. */
export function backTo(run: Run, { at, seq, idle, now, low, high, decisions }: Moment): void {
  undo(at);
  setHash(low, high);
  const { cpu } = run;
  const { m, awake } = cpu;
  m.seq = seq;
  m.idle = idle;
  m.now = now;
  if (cpu.threads.length !== m.threads.length) cpu.threads.length = m.threads.length;
  if (cpu.decisions.length !== decisions) cpu.decisions.length = decisions;
  const { live } = m;
  for (let i = 0; i < live.length; i += 1) awake[i] = live[i] as number;
  if (awake.length !== live.length) awake.length = live.length;
}
