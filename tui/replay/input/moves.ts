/** Commands and keys that go somewhere in the trace. */

import type { Context } from "../context.ts";
import { bookmark, toggleBookmark } from "../navigate/bookmarks.ts";
import { whoSet } from "../navigate/last-change.ts";
import { difference, edge, move, toCaller } from "../navigate/navigation.ts";
import { whyResult } from "../navigate/result-road.ts";
import { search } from "../navigate/search.ts";
import { runTo } from "../navigate/stops.ts";
import { finding } from "../navigate/walkthrough.ts";

import type { ReplayCommand } from "./command.ts";

export const MOVES: readonly ReplayCommand[] = [
  {
    name: "next",
    keys: ["j", "down", "right", "l"],
    group: "time",
    text: "next transition of this thread",
    hint: "step",
    run: (c) => move(c, stepOf(c), 1),
  },
  {
    name: "back",
    keys: ["k", "up", "left", "h"],
    group: "time",
    text: "one transition of this thread back",
    hint: "back",
    run: (c) => move(c, stepOf(c), -1),
  },
  { name: "over", keys: ["o"], group: "time", text: "over: next one not deeper than here", run: (c) => move(c, "over", 1) },
  { name: "over-back", keys: ["O"], group: "time", text: "over, back", run: (c) => move(c, "over", -1) },
  { name: "out", keys: ["u"], group: "time", text: "out of this function", run: (c) => move(c, "out", 1) },
  { name: "out-back", keys: ["U"], group: "time", text: "back to who called this function", run: toCaller },
  { name: "any-next", keys: ["J"], group: "time", text: "next transition of any thread", run: (c) => move(c, "any", 1) },
  { name: "any-back", keys: ["K"], group: "time", text: "one transition of any thread back", run: (c) => move(c, "any", -1) },
  {
    name: "play",
    keys: ["space"],
    group: "time",
    text: "play, pause",
    hint: "play",
    run: (c) =>
      c.dispatch({ type: "play", direction: c.state().playing === 0 ? 1 : 0, what: c.state().signal === null ? "step" : "signal" }),
  },
  {
    name: "play-back",
    keys: ["backspace"],
    group: "time",
    text: "play backwards, pause",
    run: (c) =>
      c.dispatch({ type: "play", direction: c.state().playing === 0 ? -1 : 0, what: c.state().signal === null ? "step" : "signal" }),
  },
  { name: "faster", keys: ["+", "="], group: "time", text: "play faster", run: (c) => speed(c, 1) },
  { name: "slower", keys: ["-"], group: "time", text: "play slower", run: (c) => speed(c, -1) },

  {
    name: "syscall",
    keys: ["c"],
    group: "jump",
    text: "next begin or end of a system call",
    hint: "call",
    run: (c) => move(c, "syscall", 1),
  },
  { name: "syscall-back", keys: ["C"], group: "jump", text: "the same, back", run: (c) => move(c, "syscall", -1) },
  { name: "entry", keys: ["e"], group: "jump", text: "next enclave entry or exit", run: (c) => move(c, "entry", 1) },
  { name: "entry-back", keys: ["E"], group: "jump", text: "the same, back", run: (c) => move(c, "entry", -1) },
  {
    name: "signal-hop",
    keys: ["]"],
    group: "jump",
    text: "next hop of a signal (of the followed one, through all threads)",
    hint: "signal",
    run: (c) => move(c, "signal", 1),
  },
  { name: "signal-back", keys: ["["], group: "jump", text: "the same, back", run: (c) => move(c, "signal", -1) },
  { name: "finding", keys: ["}"], group: "jump", text: "next finding", hint: "finding", run: (c) => finding(c, 1) },
  { name: "finding-back", keys: ["{"], group: "jump", text: "previous finding", run: (c) => finding(c, -1) },
  {
    name: "difference",
    keys: [")"],
    group: "jump",
    text: "next difference between the two runs, or from Linux alone",
    run: (c) => difference(c, 1),
  },
  { name: "difference-back", keys: ["("], group: "jump", text: "previous difference", run: (c) => difference(c, -1) },
  {
    name: "compare-with",
    keys: ["@"],
    group: "jump",
    text: "compare with a fix, a stack or another trace",
    hint: "with",
    only: ["compare"],
    run: (c) => c.dispatch({ type: "prompt", prompt: "compare" }),
  },
  {
    name: "ignore",
    keys: ["#"],
    group: "jump",
    text: "leave differences of the two runs out: call:poll thread:worker kind:mask",
    hint: (s) => (s.compared ? "leave out" : ""),
    only: ["compare"],
    run: (c) => c.dispatch({ type: "prompt", prompt: "ignore", typed: c.state().ignored }),
  },
  { name: "begin", keys: ["<", "home"], group: "jump", text: "begin of the trace", run: (c) => edge(c, -1) },
  { name: "end", keys: [">", "end"], group: "jump", text: "end of the trace", run: (c) => edge(c, 1) },
  {
    name: "jump",
    keys: ["g"],
    group: "jump",
    text: "jump to a seq (120), a share (50%) or a time (1.5ms)",
    hint: "jump",
    run: (c) => c.dispatch({ type: "prompt", prompt: "jump" }),
  },
  {
    name: "search",
    keys: ["/"],
    group: "jump",
    text: "search function, step, kind, signal, thread, result (regular expression)",
    hint: "search",
    run: (c) => c.dispatch({ type: "prompt", prompt: "search" }),
  },
  {
    name: "condition",
    keys: ["&"],
    group: "jump",
    text: "stop where this holds: cssa > 1 && preempt > 0, signal = SIGINT",
    hint: "condition",
    only: ["stops"],
    run: (c) => c.dispatch({ type: "prompt", prompt: "condition" }),
  },
  {
    name: "run",
    keys: ["r"],
    group: "jump",
    text: "run on to where a condition holds",
    hint: "run",
    only: ["stops"],
    run: (c) => runTo(c, 1),
  },
  { name: "run-back", keys: ["R"], group: "jump", text: "run back to where one held", run: (c) => runTo(c, -1) },
  {
    name: "who-set",
    keys: ["W"],
    group: "jump",
    text: "who set this? the newest change of the chosen line of the state",
    hint: "who set it",
    only: ["state"],
    run: whoSet,
  },
  { name: "why-result", keys: ["p"], group: "jump", text: "what is this result made of? a step down its road", run: whyResult },
  { name: "match", keys: ["n"], group: "jump", text: "next match", run: (c) => search(c, 1) },
  { name: "match-back", keys: ["N"], group: "jump", text: "previous match", run: (c) => search(c, -1) },
  { name: "bookmark", keys: ["m"], group: "jump", text: "set or take away a bookmark", run: toggleBookmark },
  {
    name: "note",
    keys: ["a"],
    group: "jump",
    text: "write a note to this transition; it is kept with the trace",
    run: (c) => c.dispatch({ type: "prompt", prompt: "note", typed: c.state().notes[c.state().seq] ?? "" }),
  },
  { name: "next-bookmark", keys: ["'"], group: "jump", text: "next bookmark", run: (c) => bookmark(c, 1) },
  { name: "previous-bookmark", keys: ['"'], group: "jump", text: "previous bookmark", run: (c) => bookmark(c, -1) },
];

/** While it plays, the screen's first line has the speed. */
function speed(c: Context, by: 1 | -1): void {
  c.dispatch({ type: "speed", by });
  if (c.state().playing === 0) c.dispatch({ type: "say", message: `speed ${c.state().speed}/s` });
}

/** In the timeline of all threads a step is one of any. */
const stepOf = (c: Context): "step" | "any" => (c.state().merged ? "any" : "step");
