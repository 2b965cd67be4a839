/** What the application saw of a run: its calls and handlers with their results, so that two runs can be laid side by side. */

import { type Block, KIND, type Sink, type Source, signalName } from "../../engine/index.ts";
import { type CallPlace, createCallWalk, HANDLER, WALKED } from "../../recorder/index.ts";

/** Calls and handlers kept of one run. */
const MAX_SEEN = 200_000;

export interface Seen {
  readonly seq: number;
  readonly thread: string;
  /** The call with its arguments, or "handler of SIGINT". */
  readonly what: string;
  readonly handler: boolean;
  /** Result of a call, 0 of a handler that was left; null while it lasts. */
  result: number | null;
  /** Seq of its end; null while it lasts. */
  endSeq: number | null;
}

/** The same place in another run has the same key. */
const callKey = (thread: string, { signal, run, index }: Pick<CallPlace, "signal" | "run" | "index">): string =>
  `${thread}\n${signal}\n${run}\n${index}`;

export interface SeenCalls extends Sink {
  /** By `callKey`, in order. */
  readonly seen: ReadonlyMap<string, Seen>;
  /** There were more than are kept: what is missing says nothing. */
  readonly full: boolean;
  /** Time of the last row, ns. */
  readonly time: number;
}

/** Takes the blocks of a run. */
export function watchCalls(names: Pick<Source, "sites" | "threads">): SeenCalls {
  const seen = new Map<string, Seen>();
  let time = 0;
  let full = false;

  const begin = (block: Block, i: number, place: CallPlace): Seen => {
    const thread = names.threads[place.thread]?.name ?? `thread ${place.thread}`;
    const handler = place.index === HANDLER;
    const what = handler ? `handler of ${signalName(place.signal)}` : (names.sites[place.site]?.label ?? "a call");
    const one: Seen = { seq: block.seq0 + i, thread, what, handler, result: null, endSeq: null };
    if (seen.size < MAX_SEEN) seen.set(callKey(thread, place), one);
    else full = true;
    return one;
  };

  const walk = createCallWalk<Seen>({
    begin,
    end(block, i, one, how, handler) {
      if (how === "dropped") return;
      one.result = handler ? 0 : (block.value[i] as number);
      one.endSeq = block.seq0 + i;
    },
    unpaired() {},
  });

  return {
    seen,
    get full() {
      return full;
    },
    get time() {
      return time;
    },
    put(block) {
      if (block.n > 0) time = block.time[block.n - 1] as number;
      for (let i = 0; i < block.n; i += 1) {
        const kind = block.kind[i] as number;
        if (WALKED[kind] === 1) walk.take(block, i);
        else if (kind === KIND["thread.exit"]) walk.gone(block, i);
      }
    },
  };
}
