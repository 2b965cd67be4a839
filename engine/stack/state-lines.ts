/**
 * Lines of the state pane. Each stack declares its own list, in the order of their use: a small pane shows only the first ones. The lines
 * here are about state that every stack has: the thread, the host kernel's part of it, the stacks of frames.
 */

import { resultText } from "../errno.ts";
import type { Program } from "../flow.ts";
import { type SignalSet, signalName, signalsIn } from "../signals.ts";
import type { Frame, Machine, Process, SgxState, Thread } from "../state.ts";
import { NEVER } from "../time.ts";

export interface StateLine {
  /** Names the thing that the line is about: lines of two states are compared by it, to mark what changed. */
  readonly key: string;
  readonly text: string;
  /** The line is a frame of a stack of calls: it changes with nearly every step. */
  readonly isFrame: boolean;
}

/** What the lines of one thread are made from. The machine is in use: read it, keep nothing of it. */
export interface StateView<T extends Thread = Thread, P extends Process = Process> {
  readonly machine: Machine<T, P>;
  readonly program: Program;
  readonly thread: T;
  /** Null once the process is gone. */
  readonly process: P | null;
}

export type StateLines<T extends Thread = Thread, P extends Process = Process> = (view: StateView<T, P>) => readonly StateLine[];

export const stateLine = (key: string, text: string, isFrame = false): StateLine => ({ key, text, isFrame });

export const threadLine = ({ machine, thread: t }: StateView): StateLine =>
  stateLine("thread", `${t.name}  tid ${t.tid}  ${t.state}${t.dying ? ", dying" : ""}${waitText(machine, t)}`);

function waitText(machine: Machine, t: Thread): string {
  // `wait` keeps the last wait after the thread runs again.
  if (t.wait === null || t.state === "run") return "";
  const names = t.wait.objects.map((object) => machine.objects[object]?.name ?? `object ${object}`);
  const until = t.wait.deadline >= NEVER ? "" : ` until ${t.wait.deadline} ns`;
  const what = names.length > 0 ? ` for ${names.join(", ")}` : t.wait.child !== -2 ? " for a child" : "";
  return `${what}${until}${t.wait.interruptible ? "" : ", not interruptible"}`;
}

/** `before`: registers or variables that belong beside RAX, with two spaces at their end. */
export const resultLine = ({ thread }: StateView, before = ""): StateLine => stateLine("errno", `${before}RAX ${resultText(thread.rax)}`);

export function hostPendingLine({ thread, process }: StateView): StateLine {
  const names = [...thread.hostPending, ...(process?.hostPending ?? [])].map(({ signal }) => signalName(signal));
  return stateLine("host pending", `host pending ${names.length > 0 ? names.join(" ") : "none"}`);
}

export const hostMaskLine = ({ thread }: StateView): StateLine => stateLine("host mask", `host mask ${maskText(thread.hostMask)}`);

export const handlerLine = ({ thread }: StateView): StateLine =>
  stateLine("frames", `signal frames ${thread.signalFrames}  handlers running ${thread.app.inHandler}`);

/** Frames shown of a stack, counted from its top. */
const MAX_FRAMES = 12;

export function stackLines(name: string, frames: readonly Frame[], { flows }: Program): StateLine[] {
  const shown = frames.slice(-MAX_FRAMES);
  const hidden = frames.length - shown.length;
  return [
    ...(frames.length > 0 ? [stateLine(`${name} head`, `${name} (${frames.length})`)] : []),
    ...(hidden > 0 ? [stateLine(`${name} more`, `  ... ${hidden} below`)] : []),
    ...shown.map((frame, i) => {
      const flow = flows[frame.flow];
      const next = flow?.steps[frame.pc]?.label ?? "its end";
      return stateLine(`${name} ${hidden + i}`, `  ${flow?.name ?? frame.flow}  next: ${next}`, true);
    }),
  ];
}

/** Of a stack with an enclave. */
type EnclaveView = StateView<Thread & { sgx: SgxState }>;

export function enclaveLine({ thread: { sgx } }: EnclaveView): StateLine {
  const where = sgx.inside === 1 ? "inside" : "outside";
  return stateLine("enclave", `${where} the enclave  CSSA ${sgx.cssa} of ${sgx.ssa.length}${sgx.mapped ? "" : "  no TCS yet"}`);
}

export function ssaLines({ thread: { sgx } }: EnclaveView): StateLine[] {
  return sgx.ssa.map((frame, i) => {
    if (frame === null || i >= sgx.cssa) return stateLine(`ssa ${i}`, `SSA[${i}] -`);
    const exit = frame.vector < 0 ? "EXITINFO not valid" : `EXITINFO vector ${frame.vector}`;
    const rewritten = frame.push.length > 0 ? "  rewritten" : "";
    return stateLine(`ssa ${i}`, `SSA[${i}] RAX ${frame.rax}  RDI ${frame.rdi}  RSI ${frame.rsi}  ${exit}${rewritten}`);
  });
}

/** Masks with more signals than this are shown as a number. */
const MAX_NAMES = 20;

export function maskText(mask: SignalSet): string {
  const signals = signalsIn(mask);
  if (signals.length === 0) return "{}";
  return signals.length > MAX_NAMES ? `{${signals.length} signals}` : `{${signals.map(signalName).join(" ")}}`;
}
