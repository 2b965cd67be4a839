/** Decides at the end of a run what became of each thread and process: who ended, who waits for ever, who was only cut off. */

import type { Source } from "../../engine/index.ts";
import type { Blow, Ends, Given, Known, ProcessEnd, ProcessHow, ThreadEnd, Watched } from "./ends.ts";
import { type Facts, factsOf, type ThreadFacts } from "./facts.ts";
import type { Round } from "./tail.ts";

/** No place: the thread faulted. */
export const FAULTED = -2;

type Names = Pick<Source, "sites" | "threads">;

/** A thread that did not end: whether it can go on without help of others, and how it waits. */
interface Left {
  readonly thread: number;
  readonly watched: Watched;
  readonly facts: ThreadFacts | undefined;
  readonly round: Round | null;
  /** It will go on by itself, as far as one can see. */
  readonly active: boolean;
}

export function settle(names: Names, given: Given, known: Known): Ends {
  const facts = factsOf(given.machine);
  const left = names.threads.flatMap((_, thread) => leftOver(thread, known, facts, given));
  // If the run came to its own end, nothing can happen any more, even if a thread seems able to go on.
  const over = given.ending === "finished";
  const forEver = over || (facts !== null && !facts.coming && left.every(({ active }) => !active));
  const byThread = new Map(left.map((one) => [one.thread, one]));
  const threads = names.threads.map((_, thread): ThreadEnd => {
    const exit = known.exits.get(thread);
    const item = given.openOf(thread);
    const w = known.watched[thread];
    const born = { begin: w?.firstRow ?? -1, beginTime: w?.firstTime ?? given.time, byItself: false };
    if (exit !== undefined) {
      const how = exit.value === 0 ? "exited" : exit.value === 1 ? "killed" : "died";
      return { ...born, how, seq: exit.seq, time: exit.time, item, why: "", byItself: endedItself(w, names) };
    }
    const one = byThread.get(thread);
    if (one === undefined) return { ...born, how: "unborn", seq: -1, time: given.time, item: -1, why: "" };
    return { ...born, ...leftHow(one, forEver), seq: one.watched.lastSeen, time: one.watched.lastSeenTime, item };
  });
  return { run: given.ending, threads, processes: processesOf(names, threads, given, known) };
}

const TO_ITSELF = /^(?:kill|tgkill|rt_(?:tg)?sigqueueinfo)\(self\b/;

/** What it did last: it faulted, or it sent itself a signal. */
const endedItself = (w: Watched | undefined, { sites }: Names): boolean =>
  w !== undefined && (w.lastDid === FAULTED || TO_ITSELF.test(sites[w.lastDid]?.label ?? ""));

function leftOver(thread: number, { watched, exits, tail }: Known, facts: Facts | null, { ending }: Given): Left[] {
  const w = watched[thread];
  if (w === undefined || exits.has(thread)) return [];
  const of = facts?.threads.get(thread);
  const round = tail.roundOf(thread, w.lastSeen);
  const blocked = of?.blocked ?? w.blocked;
  // Without the machine's state it is unknown whether a wait has an end.
  const asleep = blocked && (of === undefined ? ending === "finished" : !of.timed);
  return [{ thread, watched: w, facts: of, round, active: !asleep && round === null && of?.stopped !== true }];
}

function leftHow({ facts, round, watched }: Left, forEver: boolean): Pick<ThreadEnd, "how" | "why"> {
  const blocked = facts?.blocked ?? watched.blocked;
  const spins = round !== null && !round.sleeps;
  const how = spins
    ? forEver || round.hopeless
      ? "livelock"
      : "running"
    : forEver
      ? "blocked"
      : blocked || round !== null
        ? "waiting"
        : "running";
  const parts = [
    ...(round === null ? [] : [`the same ${round.steps} steps come round, ${round.times.toLocaleString("en")} times at least`]),
    ...(facts?.stopped === true ? ["its process is stopped"] : []),
    ...(facts === undefined ? [] : waitsFor(facts)),
    ...(facts !== undefined && facts.pending.length > 0 ? [`${facts.pending.join(", ")} pending`] : []),
    ...(forEver && !spins ? ["nobody is left who could wake it"] : []),
  ];
  return { how, why: parts.join("; ") };
}

const waitsFor = ({ objects, child, blocked }: ThreadFacts): string[] =>
  child ? ["for a child"] : objects.length > 0 ? [`for ${objects.join(", ")}`] : blocked ? [] : [];

function processesOf(names: Names, threads: readonly ThreadEnd[], { time }: Given, known: Known): ProcessEnd[] {
  const members = new Map<number, number[]>();
  names.threads.forEach(({ pid }, thread) => {
    const list = members.get(pid);
    if (list === undefined) members.set(pid, [thread]);
    else list.push(thread);
  });
  return [...members].map(([pid, all]): ProcessEnd => {
    const own = all.filter((thread) => names.threads[thread]?.internal !== true);
    const base = { pid, thread: own[0] ?? (all[0] as number), threads: own };
    const blow = known.processExits.get(pid) ?? inferred(all, threads, known.blows.get(pid));
    if (blow !== undefined) {
      const { how, value, signal, seq, time: at, why } = blow;
      const isKilled = how === "signal";
      return {
        ...base,
        how,
        status: isKilled ? signal : Math.max(value, 0),
        hostStatus: isKilled && value >= 0 ? value : null,
        seq,
        time: at,
        why,
      };
    }
    const live = own.map((thread) => threads[thread] as ThreadEnd).filter(({ how }) => how !== "exited" && how !== "killed");
    // Only threads of the LibOS are left: nothing ends the process any more.
    const stuck = live.every(({ how }) => how === "blocked" || how === "livelock" || how === "died");
    const how: ProcessHow = stuck ? "stuck" : "going-on";
    return { ...base, how, status: 0, hostStatus: null, seq: Math.max(0, ...live.map(({ seq }) => seq)), time, why: "" };
  });
}

/** Without a row of the process's end: it is over when all its threads are, those of the LibOS too, by what struck it last. */
function inferred(all: readonly number[], threads: readonly ThreadEnd[], blow: Blow | undefined): Blow | undefined {
  const ends = all.map((thread) => threads[thread] as ThreadEnd).filter(({ how }) => how !== "unborn");
  if (ends.length === 0 || ends.some(({ how }) => how !== "exited" && how !== "killed" && how !== "died")) return undefined;
  const last = ends.reduce((a, b) => (b.seq > a.seq ? b : a));
  const at = { seq: last.seq, time: last.time, signal: 0 };
  if (ends.some(({ how }) => how === "died")) return { ...at, value: 0, how: "pal", why: "" };
  return blow === undefined || ends.every(({ how }) => how === "exited")
    ? { ...at, value: 0, how: "exited", why: "" }
    : { ...blow, seq: last.seq, time: last.time };
}
