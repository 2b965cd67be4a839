/**
 * What an application observed of a run, in columns: its calls and the runs of its handlers with their results, and how its threads and
 * processes ended. Memory grows with the calls of a run, not with its rows.
 */

import type { Site, ThreadInfo } from "../../engine/index.ts";
import type { Column } from "./columns.ts";
import type { Ends } from "./ends.ts";

/** Kinds of items. A check is a look of the program at its own state (vector registers). */
export const CALL = 0;
export const HANDLER = 1;
export const CHECK = 2;

/** How an item ended. `DROPPED`: its caller ended, so it never returns. */
export const OPEN = 0;
export const RETURNED = 1;
export const JUMPED = 2;
export const DROPPED = 3;

/**
 * What an item wrote besides its result. 1 to 99 are the `extra` of `app.output`; then the siginfo (the signal as read, code, pid, and
 * `SIGINFO_MORE` + which), then the mask.
 */
export const SIGINFO_SIGNAL = 100;
export const SIGINFO_CODE = 101;
export const SIGINFO_PID = 102;
export const SIGINFO_MORE = 110;
export const MASK_LOW = 130;
export const MASK_HIGH = 131;

/** Items in the order of their begin; one index for all columns. -1 where there is none. */
export interface Items {
  readonly kind: Column;
  readonly thread: Column;
  readonly seq: Column;
  readonly time: Column;
  /** Seq and time of the end. */
  readonly end: Column;
  readonly endTime: Column;
  readonly how: Column;
  readonly site: Column;
  /** Number of the operation in its program. */
  readonly nr: Column;
  readonly signal: Column;
  readonly result: Column;
  /** Handler's run it is in. */
  readonly parent: Column;
  /** The last call begun before it on the same level. */
  readonly before: Column;
  /** 1 when that call was open. */
  readonly inside: Column;
  /** Of a handler's run: where its signal was sent. */
  readonly sent: Column;
  /** Which of the signals of its number that came from outside it is, from 1; 0 it did not come from there. */
  readonly outside: Column;
  /** First and last of its outputs. */
  readonly output: Column;
  readonly lastOutput: Column;
}

/** Outputs of items; `next` leads to the next one of the same item. */
export interface Outputs {
  readonly what: Column;
  readonly value: Column;
  readonly next: Column;
}

export interface Observed {
  /** What is compared, as a person would name it: "graphene-sgx", "native-linux", a trace folder. */
  readonly name: string;
  /** The scenario's text: equal texts have equal programs. */
  readonly program: string;
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly items: Items;
  readonly outputs: Outputs;
  /** By signal number: how many came from outside. */
  readonly arrivals: ReadonlyMap<number, number>;
  /** Signals that the scenario sends on other stacks only: the program caused them by what this stack does not have. */
  readonly withheld?: ReadonlySet<number>;
  /** Rows of app.siginfo: 0 says that who recorded this did not know of them. */
  readonly siginfos: number;
  /** Rows of the run, and the time of the last one. */
  readonly rows: number;
  readonly time: number;
  /** There were more items than are kept: what is missing says nothing. */
  readonly full: boolean;
  readonly ends: Ends;
  /** By flow and number of the operation: its line in the log that the scenario was made from. */
  readonly lines?: ReadonlyMap<string, readonly (number | null)[]>;
  /** By item: what the real program was answered, as its log says, where this run on Linux alone has it otherwise. */
  readonly log?: ReadonlyMap<number, number>;
}

/** The outputs of an item, in order. */
export function* outputsOf({ items, outputs }: Observed, item: number): Generator<{ what: number; value: number }> {
  for (let at = items.output.at(item); at >= 0; at = outputs.next.at(at)) yield { what: outputs.what.at(at), value: outputs.value.at(at) };
}
