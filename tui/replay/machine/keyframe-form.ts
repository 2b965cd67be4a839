/**
 * Whether a parsed keyframe can be a machine of this build. A trace comes from anywhere: from another build whose machine has
 * other fields, from a damaged disk, from a stranger.
 */

import type { Frame, Lists, Machine, Run } from "../../../engine/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The first place at which `value` cannot be a machine like that of `model`, a run that has just been put together; null when it can. */
export function misshapen(value: unknown, model: Run): string | null {
  const { machine } = model;
  const wrong = lacks(value, machine, "machine");
  if (wrong !== null) return wrong;
  const { threads, processes, live } = value as Machine;
  const alive = live.find((id) => !threads[id]);
  if (alive !== undefined) return `machine.live: thread ${alive}`;
  return (
    firstOf(threads, (thread, i) => (thread === null ? null : threadWrong(thread, model, `machine.threads[${i}]`))) ??
    firstOf(processes, (process, i) =>
      process === null ? null : processWrong(process, machine.processes[0] ?? null, `machine.processes[${i}]`),
    )
  );
}

/** The first of a keyframe's counts that does not fit the lists it counts; null when they do. */
export function listsWrong(counts: unknown, lists: Lists): string | null {
  const given = (counts ?? {}) as Fields;
  const names = ["threads", "texts", "decisions"] as const;
  const wrong = names.find(
    (name) => !(Number.isInteger(given[name]) && (given[name] as number) >= 0 && (given[name] as number) <= lists[name].length),
  );
  return wrong === undefined ? null : `lists.${wrong}`;
}

function threadWrong(thread: unknown, model: Run, path: string): string | null {
  const like = model.machine.threads[0] ?? null;
  const fields = thread as Fields;
  return (
    lacks(thread, like, path) ??
    partsWrong(thread, like, path) ??
    framesWrong(fields.host, model, `${path}.host`) ??
    framesWrong(fields.enclave, model, `${path}.enclave`)
  );
}

const processWrong = (process: unknown, like: object | null, path: string): string | null =>
  lacks(process, like, path) ?? partsWrong(process, like, path);

/** The parts of a state that have fields of their own, such as the LibOS's part of a thread: which there are, the stack decides. */
const partsWrong = (value: unknown, like: object | null, path: string): string | null =>
  firstOf(
    Object.entries(like ?? {}).filter(([, sample]) => isRecord(sample)),
    ([part, sample]) => lacks((value as Fields)[part], sample as object, `${path}.${part}`),
  );

const isRecord = (value: unknown): boolean => value !== null && typeof value === "object" && !Array.isArray(value);

/** Frames are places in flows: both must be there. */
function framesWrong(frames: unknown, model: Run, path: string): string | null {
  const { flows } = model.cpu.program;
  return firstOf(frames as readonly (Frame | null)[], (frame, i) => {
    const steps = flows[frame?.flow ?? -1]?.steps.length ?? -1;
    const inside = frame !== null && Number.isInteger(frame.pc) && frame.pc >= 0 && frame.pc <= steps;
    return inside ? null : `${path}[${i}]`;
  });
}

/** Fields of `like` that `value` does not have, or has as something else. What is null in `like` may be anything. */
function lacks(value: unknown, like: object | null, path: string): string | null {
  if (value === null || typeof value !== "object") return path;
  for (const [name, sample] of Object.entries(like ?? {})) {
    const one = (value as Fields)[name];
    if (sample === null) continue;
    if (one === null || typeof one !== typeof sample || Array.isArray(one) !== Array.isArray(sample)) return `${path}.${name}`;
  }
  return null;
}

function firstOf<T>(list: readonly T[], wrong: (one: T, index: number) => string | null): string | null {
  for (const [i, one] of list.entries()) {
    const found = wrong(one, i);
    if (found !== null) return found;
  }
  return null;
}
