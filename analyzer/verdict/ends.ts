/** How the threads and processes of a run ended, or why they did not. */

import { type Block, KIND, type Machine, type Source } from "../../engine/index.ts";
import { WALKED } from "../../recorder/index.ts";
import type { Items } from "./observation.ts";
import { FAULTED, settle } from "./settle.ts";
import { createTail, type Tail } from "./tail.ts";

/** Why there are no more rows. */
/** `recorded`: an imported trace is over with its file; what the program did then is not known. */
export type RunEnding = "finished" | "row-limit" | "time-limit" | "aborted" | "killed" | "recorded";

/**
 * `exited` by itself, `killed` from outside (a signal, the end of its process), `died` in the PAL; `blocked` for ever, `livelock`: it
 * goes round and nobody is left who could change that; `waiting`, `running`: the run ended first; `unborn`: it made no step.
 */
export type ThreadHow = "exited" | "killed" | "died" | "blocked" | "livelock" | "waiting" | "running" | "unborn";

export interface ThreadEnd {
  readonly how: ThreadHow;
  /** Its first row; -1 and the end of the run when it has none. */
  readonly begin: number;
  readonly beginTime: number;
  /** Its exit; of what never ends, its last row that the application knows of. */
  readonly seq: number;
  readonly time: number;
  /** Innermost call or handler's run that is open, -1 none. */
  readonly item: number;
  /** More about a wait, for people; empty when there is nothing to say. */
  readonly why: string;
  /** It was killed by what it did itself: an instruction that faulted, a signal that it sent to itself. */
  readonly byItself: boolean;
}

/** As `process.exit` has it; `stuck`: none of its threads will ever go on; `going-on`: the run ended first. */
export type ProcessHow = "exited" | "signal" | "assertion" | "fault" | "pal" | "undefined" | "stuck" | "going-on";

export interface ProcessEnd {
  readonly pid: number;
  /** Its first thread. */
  readonly thread: number;
  /** Numbers of its threads that the application knows. */
  readonly threads: readonly number[];
  readonly how: ProcessHow;
  /** Exit status, or the signal; 0 where there is none. */
  readonly status: number;
  /** Exit status that the host sees of one that the LibOS killed; null otherwise. */
  readonly hostStatus: number | null;
  readonly seq: number;
  readonly time: number;
  /** The failed assertion or what else ended it, for people; empty when there is nothing to say. */
  readonly why: string;
}

export interface Ends {
  readonly run: RunEnding;
  /** By thread number. */
  readonly threads: readonly ThreadEnd[];
  readonly processes: readonly ProcessEnd[];
}

/** The state of knowledge after the last row. */
export interface Given {
  readonly ending: RunEnding;
  readonly machine: Machine | null;
  readonly items: Items;
  readonly openOf: (thread: number) => number;
  readonly rows: number;
  readonly time: number;
}

export interface EndWatch {
  put(block: Block): void;
  finish(given: Given): Ends;
}

export interface Exit {
  readonly seq: number;
  readonly time: number;
  readonly value: number;
}

/** What may have ended a process: rows that come before the row of its end. */
export interface Blow extends Exit {
  readonly how: ProcessHow;
  readonly signal: number;
  readonly why: string;
}

export interface Watched {
  readonly firstRow: number;
  readonly firstTime: number;
  /** Last row that begins or ends a call or handler. */
  lastSeen: number;
  lastSeenTime: number;
  /** Place of its last row that begins or ends a call or handler, FAULTED when it faults since. */
  lastDid: number;
  blocked: boolean;
}

const bornAt = (block: Block, i: number): Watched => {
  const firstRow = block.seq0 + i;
  const firstTime = block.time[i] as number;
  return { firstRow, firstTime, lastSeen: firstRow, lastSeenTime: firstTime, lastDid: -1, blocked: false };
};

/** By `extra` of process.exit. */
const REASONS: readonly ProcessHow[] = ["exited", "signal", "signal", "assertion", "fault", "pal", "undefined"];
const FATAL = new Set(
  (["thread.exit", "process.exit", "libos.assert", "libos.fault", "host.signal.default", "libos.signal.kill"] as const).map((k) => KIND[k]),
);

export function createEndWatch(names: Pick<Source, "sites" | "threads">): EndWatch {
  // A row of the outside world names some thread, which did nothing itself.
  const tail = createTail(Uint8Array.from(names.sites, ({ flow }) => (flow === "(outside)" ? 1 : 0)));
  const watched: Watched[] = [];
  const exits = new Map<number, Exit>();
  const processExits = new Map<number, Blow>();
  const blows = new Map<number, Blow>();
  const pidOf = (thread: number): number => names.threads[thread]?.pid ?? 0;

  const fatal = (block: Block, i: number, kind: number): void => {
    const thread = block.thread[i] as number;
    const value = block.value[i] as number;
    const at = { seq: block.seq0 + i, time: block.time[i] as number };
    const pid = pidOf(thread);
    const signal = block.signal[i] as number;
    const label = names.sites[block.site[i] as number]?.label ?? "";
    if (kind === KIND["thread.exit"]) exits.set(thread, { ...at, value });
    else if (kind === KIND["process.exit"]) {
      processExits.set(pid, { ...at, value, signal, how: REASONS[block.extra[i] as number] ?? "exited", why: blows.get(pid)?.why ?? "" });
    } else if (kind === KIND["libos.assert"]) blows.set(pid, { ...at, value, signal: 0, how: "assertion", why: label });
    else if (kind === KIND["libos.fault"]) blows.set(pid, { ...at, value, signal: 0, how: "fault", why: label });
    else if (kind === KIND["libos.signal.kill"] || value === 1) blows.set(pid, { ...at, value: -signal, signal, how: "signal", why: "" });
  };

  return {
    put(block) {
      tail.put(block);
      for (let i = 0; i < block.n; i += 1) {
        const thread = block.thread[i] as number;
        const kind = block.kind[i] as number;
        const w = (watched[thread] ??= bornAt(block, i));
        if (WALKED[kind] === 1) {
          w.lastSeen = block.seq0 + i;
          w.lastSeenTime = block.time[i] as number;
          w.lastDid = block.site[i] as number;
        } else if (kind === KIND["app.fault"]) w.lastDid = FAULTED;
        if (kind === KIND["thread.block"]) w.blocked = true;
        else if (kind === KIND["thread.wake"]) w.blocked = false;
        else if (FATAL.has(kind)) fatal(block, i, kind);
      }
    },
    finish: (given) => settle(names, given, { tail, watched, exits, processExits, blows }),
  };
}

/** What the rows have said so far. */
export interface Known {
  readonly tail: Tail;
  /** By thread number. */
  readonly watched: readonly (Watched | undefined)[];
  readonly exits: ReadonlyMap<number, Exit>;
  /** By pid. */
  readonly processExits: ReadonlyMap<number, Blow>;
  readonly blows: ReadonlyMap<number, Blow>;
}
