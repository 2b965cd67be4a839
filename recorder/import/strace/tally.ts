/** What became of each line of the log. Every line is counted once, so the counts add up to the log. */

import type { QualityCounter } from "../../format/metadata.ts";

/** What a line can come to; calls kept opaque are counted by their name besides. */
const FATES = {
  emulated: { severity: "info", advice: "lines of calls, signals and exits that became operations of the scenario" },
  opaque: { severity: "info", advice: "eintr does not emulate this call: its duration and result are kept" },
  approximated: { severity: "info", advice: "this call is kept as the operation that waits most like it" },
  stop: { severity: "notice", advice: "stopping and continuing by job control is not emulated: the time stays as computation" },
  "fault-kind": { severity: "notice", advice: "a fault eintr has no instruction for: the signal comes from outside instead" },
  stray: { severity: "data-loss", advice: "the end of a call whose beginning is not in the log: record from the start" },
  truncated: { severity: "data-loss", advice: "the log's last line is cut off" },
  foreign: { severity: "notice", advice: "lines that strace does not write: other output went to the same file; record with -o FILE" },
  attached: { severity: "info", advice: "strace's own words about attaching" },
  wrapped: { severity: "info", advice: "lines that were broken in two: put together again" },
  frame: { severity: "info", advice: "frames of -k: the first of the program's own is kept beside its call" },
  summary: { severity: "info", advice: "the summary of -c and -C" },
  elided: { severity: "data-loss", advice: "places where somebody left lines out: what happened there is not known; take the whole log" },
  dump: { severity: "info", advice: "bytes that -e read and -e write show" },
  empty: { severity: "info", advice: "empty lines" },
} as const satisfies Record<string, Pick<QualityCounter, "severity" | "advice">>;

export type Fate = keyof typeof FATES;

/** Things worth knowing that are not counts of lines. */
const NOTES = {
  "no-duration": { severity: "notice", advice: "calls without a duration: add -T" },
  "relative-times": {
    severity: "notice",
    advice: "times count from line to line (-r) and were added up: a line that was left out shifts all after it; record with -ttt",
  },
  "coarse-times": {
    severity: "notice",
    advice: "times in whole seconds (-t) or in milliseconds: what lies within one is guesswork; record with -ttt",
  },
  "coarse-durations": {
    severity: "notice",
    advice: "durations in milliseconds (--syscall-times=ms): most calls took none; record with -T",
  },
  "clock-stepped-back": {
    severity: "notice",
    advice: "time stamps that go back (a clock was set, or lines stand twice, or two logs in one): taken as the time before",
  },
  "several-programs": {
    severity: "notice",
    advice:
      "further programs that strace started itself (-A, or logs put together): they run beside the first one, from its start; make a log of each",
  },
  "unknown-parent": {
    severity: "notice",
    advice: "threads whose beginning is not in the log start with it: record with -f from the start",
  },
  "calls-left-out": {
    severity: "data-loss",
    advice:
      "processes started or ended without the calls that this takes: strace wrote some calls only (-e trace=...), and nobody knows what the others did; record without -e",
  },
  "signals-left-out": {
    severity: "data-loss",
    advice: "threads came back from handlers of signals that are not in the log (-e signal=...): record without -e",
  },
  "not-followed": {
    severity: "data-loss",
    advice:
      "threads and processes that the program made are not in the log, and what they did to it looks as if it came from outside: record with -f",
  },
  "never-resumed": {
    severity: "data-loss",
    advice: "calls that go on with another one before their end (`resumed`) is there: lines are missing from the log, take the whole of it",
  },
  "assumed-action": { severity: "notice", advice: "dispositions set before the log began: they are set at its start" },
  "own-doing": {
    severity: "notice",
    advice:
      "signals that the program caused itself by what is not emulated (a descriptor with an owner, a clock of CPU time, job control, a call that is not in the log): they come on native-linux alone",
  },
  "outside-untimed": { severity: "notice", advice: "signals after a thread's last call: they come at their time, not at a place" },
  "too-many-signals": { severity: "data-loss", advice: "a scenario holds a million signals from outside: cut the log" },
  "woken-by-strace": {
    severity: "info",
    advice: "calls that a signal ended which is ignored: strace itself lets it through, and they go on as they would without",
  },
  "no-end": {
    severity: "notice",
    advice: "threads whose end is not in the log: they stay in their last call, or end after it",
  },
  "timer-goes-on": {
    severity: "notice",
    advice: "a timer still runs when the log ends, and the program's end is not in it: the run is ended one second later",
  },
  "not-restarted": { severity: "info", advice: "calls that a signal ended and that were not made again" },
} as const satisfies Record<string, Pick<QualityCounter, "severity" | "advice">>;

export type Note = keyof typeof NOTES;

export interface Tally {
  add(fate: Fate, lines: number, call?: string): void;
  note(note: Note, count?: number): void;
  /** Counters of lines are named `strace.FATE` or `strace.FATE.CALL`; notes `strace.note.NOTE`. */
  counters(): QualityCounter[];
}

const LINES_PREFIX = "strace.";
const NOTE_PREFIX = "strace.note.";

/** Different names of calls kept apart; a made-up log may have any number. */
const MAX_NAMES = 1000;

export function createTally(): Tally {
  const lines = new Map<string, { fate: Fate; count: number }>();
  const notes = new Map<Note, number>();
  return {
    add(fate, count, call) {
      if (count === 0) return;
      let name = call === undefined ? fate : `${fate}.${call}`;
      if (!lines.has(name) && lines.size >= MAX_NAMES) name = `${fate}.others`;
      const known = lines.get(name);
      if (known) known.count += count;
      else lines.set(name, { fate, count });
    },
    note(note, count = 1) {
      notes.set(note, (notes.get(note) ?? 0) + count);
    },
    counters() {
      return [
        ...[...lines].map(([name, { fate, count }]) => ({ name: `${LINES_PREFIX}${name}`, count, ...FATES[fate] })),
        ...[...notes].map(([name, count]) => ({ name: `${NOTE_PREFIX}${name}`, count, ...NOTES[name] })),
      ].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}
