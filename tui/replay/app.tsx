/** The Ink application: keys and mouse in, one prebuilt string a line out. */

import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { Transform, useApp, useStdin, useStdout } from "ink";
import { useEffect, useMemo, useReducer, useRef, useState } from "react";
import { attempt } from "./attempt.ts";
import { loadCatalogue } from "./catalogue.ts";
import type { Choice } from "./compare/choices.ts";
import type { Context } from "./context.ts";
import { onKey, onMouse, onPaste, onTick } from "./input/input.ts";
import { createInputReader, type Input } from "./input/terminal-input.ts";
import { EXACT_ROWS } from "./lanes/lanes-of.ts";
import { countOverview } from "./lanes/overview.ts";
import { countDifferences } from "./navigate/differences.ts";
import { opening } from "./navigate/opening.ts";
import { type Action, reduce } from "./reduce.ts";
import { frame } from "./screen/frame.ts";
import { SPARE_LINES } from "./screen/layout.ts";
import { seqsOnScreen } from "./screen/on-screen.ts";
import { findingsOf, type ReplaySession, type StoredFinding } from "./session.ts";
import { type ReplayState, startState, stepsPerSecond } from "./state.ts";
import { createTasks } from "./tasks.ts";

export interface ReplayProps {
  readonly session: ReplaySession;
  readonly start?: Partial<ReplayState>;
  readonly copy: (text: string) => void;
  /** Write the lines as a picture; returns the file's name. */
  readonly picture: (lines: readonly string[], columns: number) => string;
  readonly save?: Context["save"];
  readonly suspend: (resumed: () => void) => void;
  /** The session beside another run: see `besideOther`. */
  readonly beside?: (
    session: ReplaySession,
    chosen: Choice,
    stop: AbortSignal,
    told: (text: string) => void,
  ) => Promise<ReplaySession | null>;
  /** Keep bookmarks and what else stays with the trace; returns why that cannot be, "" when it is. */
  readonly keep?: (s: ReplayState) => string;
}

/** How Ink draws it. Its own 30 frames a second would hold a key's frame back when the one before is younger than 33 ms. */
export const INK_OPTIONS = { exitOnCtrlC: false, patchConsole: false, maxFps: 250 } as const;
/** Ink writes a frame when it has waited for more; what takes long begins after that. */
const WRITTEN_MS = 20;

/** At most so many frames a second are made while playing; faster play makes several steps a frame. */
const FRAMES = 30;

export function Replay({ session: opened, start, copy, picture, save, suspend, beside, keep }: ReplayProps) {
  const { exit } = useApp();
  const [session, setSession] = useState(opened);
  const shown = useRef(session);
  const { stdout } = useStdout();
  const [state, dispatch] = useReducer(reduce, null, () => ({ ...startState(opened, ...sizeOf(stdout)), settled: false, ...start }));
  // Commands look at the newest state, also those that go on in the background.
  const newest = useRef(state);
  newest.current = state;

  const context = useMemo<Context>(() => {
    const act = (action: Action): void => {
      newest.current = reduce(newest.current, action);
      dispatch(action);
    };
    return {
      get session() {
        return shown.current;
      },
      state: () => newest.current,
      dispatch: act,
      quit: () => exit(),
      suspend: () => suspend(() => act({ type: "say", message: backAgain(newest.current.message) })),
      ...createTasks(act),
      copy,
      onScreen: () => seqsOnScreen(shown.current, newest.current),
      picture: () => picture(frame(shown.current, newest.current), newest.current.width),
      save: (name, extension, text) => save?.(name, extension, text) ?? "",
      async compareWith(chosen, stop, told) {
        const both = (await beside?.(shown.current, chosen, stop, told)) ?? null;
        if (both === null || stop.aborted) return false;
        shown.current = both;
        setSession(both);
        return true;
      },
    };
  }, [copy, picture, save, suspend, exit, beside]);

  const { bookmarks, notes, conditions } = state;
  // What is written is kept at once: the program may be killed.
  const isFirst = useRef(true);
  useEffect(() => {
    const why = isFirst.current ? "" : (keep?.(newest.current) ?? "");
    isFirst.current = false;
    if (why !== "") context.dispatch({ type: "say", message: why });
  }, [bookmarks, notes, conditions]);
  useEffect(() => () => void keep?.(newest.current), [keep]);

  useEffect(() => {
    const resized = (): void => {
      const [width, height] = sizeOf(stdout);
      context.dispatch({ type: "resize", width, height });
    };
    stdout.on("resize", resized);
    return () => void stdout.off("resize", resized);
  }, [stdout, context]);

  const perSecond = stepsPerSecond(state);
  useEffect(() => {
    if (state.playing === 0) return;
    const steps = Math.max(1, Math.round(perSecond / FRAMES));
    // A tick may have to look far for its row: the next one waits for it.
    let going = false;
    const tick = async (): Promise<void> => {
      if (going) return;
      going = true;
      await onTick(context, steps);
      going = false;
    };
    const timer = setInterval(() => void tick(), (1000 * steps) / perSecond);
    return () => clearInterval(timer);
  }, [state.playing, perSecond, context]);

  useEffect(() => {
    const stop = new AbortController();
    void (state.settled ? analyzeInBackground(context, stop.signal) : settle(context, stop.signal));
    return () => stop.abort();
  }, [context, state.settled]);

  // However it ends, nothing goes on behind it.
  useEffect(() => () => context.cancel(), [context]);

  const { setRawMode, internal_eventEmitter: terminal } = useStdin();
  // Ink's own hook for keys ends the program at a sequence it has no name for.
  useEffect(() => {
    const read = createInputReader();
    const heard = (piece: string): void => read(piece).forEach((input) => void onInput(context, input));
    setRawMode(true);
    terminal.on("input", heard);
    return () => {
      terminal.off("input", heard);
      setRawMode(false);
    };
  }, [context, setRawMode, terminal]);

  const lines = frame(session, state);
  // Ink lays out a blank text of the screen's size, always the same, and puts the lines in its place: measuring and keeping
  // thousands of different texts is what it would spend its time and memory on.
  return <Transform transform={(_, i) => lines[i] ?? ""}>{blank(state.width, lines.length)}</Transform>;
}

function onInput(c: Context, input: Input): void | Promise<void> {
  switch (input.what) {
    case "key":
      return onKey(c, input);
    case "paste":
      return onPaste(c, input.text);
    case "mouse":
      return onMouse(c, input.mouse);
  }
}

const blank = (width: number, height: number): string => Array.from({ length: height }, () => " ".repeat(width)).join("\n");

const sizeOf = ({ columns, rows }: { columns?: number; rows?: number }): [number, number] => [columns || 80, (rows || 24) - SPARE_LINES];

/** After the shell had the terminal all is drawn anew, and Ink only draws what differs from the frame before. */
const backAgain = (message: string): string => (message === "here again" ? "here once more" : "here again");

/** The first frame does not wait for the machine's state. */
async function settle(c: Context, signal: AbortSignal): Promise<void> {
  await turn();
  if (!signal.aborted) c.dispatch({ type: "settled" });
}

/** Runs the rules after the frame that shows the machine's state. */
async function analyzeInBackground(c: Context, signal: AbortSignal): Promise<void> {
  await sleep(WRITTEN_MS);
  if (signal.aborted) return;
  if (c.session.rows.count > EXACT_ROWS)
    await attempt(c, async () => {
      await countOverview(c.session, signal);
      if (!signal.aborted) c.dispatch({ type: "counted" });
    });
  await attempt(c, () => countDifferences(c.session, signal));
  await turn();
  if (signal.aborted) return;
  await loadCatalogue();
  // What there is to compare with has the fixes of what was found first.
  c.dispatch({ type: "counted" });
  if (!c.state().looking || signal.aborted) return;
  await turn();
  let findings: readonly StoredFinding[] | null = null;
  await attempt(c, async () => {
    findings = await findingsOf(c.session, signal);
  });
  if (!signal.aborted) c.dispatch({ type: "found", findings, opened: opening(c.session, findings ?? []) });
}
