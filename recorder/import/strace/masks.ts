/** The mask of each thread on its way through the log, and the returns from handlers that put another one in force than was saved. */

import { signalSet } from "./args.ts";
import type { CallEvent } from "./log.ts";
import type { Action } from "./registrations.ts";
import type { Task } from "./tree.ts";

type Mask = readonly number[];

interface Masked {
  now: Mask;
  /** Saved by the frames of handlers that run, innermost last. */
  readonly saved: Mask[];
}

/** SIGKILL and SIGSTOP, which no mask blocks whatever a log writes. */
const NEVER_BLOCKED: ReadonlySet<number> = new Set([9, 19]);

export class Masks {
  private readonly tasks = new Map<Task, Masked>();
  /** rt_sigreturn calls after which another mask is in force than the frame had saved: the handler changed its context. */
  readonly changedContexts = new Map<CallEvent, Mask>();

  of(task: Task): Mask {
    return this.masked(task).now;
  }

  created(child: Task, by: Task): void {
    this.masked(child).now = this.of(by);
  }

  /** rt_sigprocmask that came back with 0. */
  changes(task: Task, { args }: CallEvent): void {
    const [how, text] = /^(SIG_\w+), (~?\[[^\]]*\])/.exec(args)?.slice(1) ?? [];
    const set = signalSet(text);
    const masked = this.masked(task);
    if (set === null) return;
    if (how === "SIG_SETMASK") masked.now = set;
    else if (how === "SIG_BLOCK") masked.now = union(masked.now, set);
    else masked.now = masked.now.filter((signal) => !set.includes(signal));
  }

  enters(task: Task, signal: number, action: Action): void {
    if (action.what !== "handler") return;
    const masked = this.masked(task);
    masked.saved.push(masked.now);
    masked.now = union(masked.now, action.flags.includes("SA_NODEFER") ? action.mask : [...action.mask, signal]);
  }

  returns(task: Task, call: CallEvent): void {
    const masked = this.masked(task);
    const saved = masked.saved.pop();
    const told = signalSet(/mask=(~?\[[^\]]*\])/.exec(call.args)?.[1]);
    masked.now = told ?? saved ?? [];
    if (saved && told && !alike(saved, told)) this.changedContexts.set(call, told);
  }

  private masked(task: Task): Masked {
    const known = this.tasks.get(task) ?? { now: [], saved: [] };
    this.tasks.set(task, known);
    return known;
  }
}

const union = (a: Mask, b: Mask): Mask => [...new Set([...a, ...b])];

function alike(a: Mask, b: Mask): boolean {
  const inOnly = (one: Mask, other: Mask): boolean => one.some((signal) => !other.includes(signal) && !NEVER_BLOCKED.has(signal));
  return !inOnly(a, b) && !inOnly(b, a);
}
