/**
 * Where a function of the emulated code goes on: the operations that read and move a frame's pc. Beside `Cpu.step`, which moves it from
 * one step to the next, nobody else does. Places are named by marks (`at` in a flow), so that a step more changes none of them.
 */

import type { Compiled, Placed, PlacedRows, Program } from "./flow.ts";
import { FlowError } from "./flow.ts";
import type { Frame, Locals } from "./state.ts";
import { KIND } from "./transition.ts";

/** A function that has not begun: its arguments, and its own variables as they are at its start. The arguments may be the caller's own locals. */
export function newFrame(program: Program, flow: number, args: Locals): Frame {
  return { flow, pc: 0, v: (program.flows[flow] as Compiled).locals.make(args) };
}

/** The frame's locals once more, as plain data: to be kept as a value. */
export const copyOfLocals = (program: Program, { flow, v }: Frame): Locals => (program.flows[flow] as Compiled).locals.make(v);

/** It has made its first step. */
export const hasBegun = (frame: Frame): boolean => frame.pc > 0;

/** The step that the frame makes next; undefined at its end. */
export const nextStep = (program: Program, frame: Frame | undefined): Placed | undefined =>
  frame && program.flows[frame.flow]?.steps[frame.pc];

/** Number of that step among all steps of the program; -1 at the frame's end. */
export const nextStepNumber = (program: Program, frame: Frame): number => nextStep(program, frame)?.place ?? -1;

/** The rows of which the step that is being executed has one. */
export function rowsHere(program: Program, frame: Frame): PlacedRows {
  const { rows } = program.flows[frame.flow] as Compiled;
  let low = 0;
  for (let high = rows.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if ((rows[middle] as PlacedRows).at < frame.pc) low = middle;
    else high = middle - 1;
  }
  return rows[low] ?? noRows();
}

/** Which of these rows it has. */
export const rowHere = (frame: Frame, rows: PlacedRows): number => frame.pc - 1 - rows.at;

function noRows(): never {
  throw new FlowError("a step that has a row of numbers stands where no rows are");
}

/** A return address as a frame holds it and `resumeAt` takes it back: where the jump leads that is being executed. */
export const jumpTarget = (program: Program, frame: Frame): number => program.flows[frame.flow]?.steps[frame.pc - 1]?.to ?? 0;

/** The return address of a frame that has called another one. */
export const addressOf = (frame: Frame): number => frame.pc;

export function resumeAt(frame: Frame, address: number): void {
  frame.pc = address;
}

/** The instruction just executed is executed again: RIP stays at it. */
export function retry(frame: Frame): void {
  frame.pc -= 1;
}

/** The next step is not made. */
export function skip(frame: Frame): void {
  frame.pc += 1;
}

/** RIP past the instruction that faulted. A handler that does so to code that did not fault changes nothing (there it runs garbage). */
export function skipFault(program: Program, frame: Frame | undefined): void {
  if (frame && nextStep(program, frame)?.kind === KIND["app.fault"]) skip(frame);
}

/** Go on at a mark of the flow. */
export function goTo(program: Program, frame: Frame, mark: string): void {
  const flow = program.flows[frame.flow];
  frame.pc = flow?.marks.get(mark) ?? noMark(flow, mark);
}

/** Another function has the frame from here on (a tail call), from its start or a mark. */
export function become(program: Program, frame: Frame, flow: number, v: Locals, mark = ""): void {
  frame.flow = flow;
  frame.v = (program.flows[flow] as Compiled).locals.make(v);
  frame.pc = 0;
  if (mark !== "") goTo(program, frame, mark);
}

/** The next step is the one behind the mark. */
export const isAt = (program: Program, frame: Frame, mark: string): boolean => program.flows[frame.flow]?.marks.get(mark) === frame.pc;

/** The flow has such a mark, and the frame is at it or further on. */
export function isPast(program: Program, frame: Frame, mark: string): boolean {
  const at = program.flows[frame.flow]?.marks.get(mark);
  return at !== undefined && frame.pc >= at;
}

function noMark(flow: Compiled | undefined, mark: string): never {
  throw new FlowError(`${flow?.name}: no mark "${mark}"`);
}
