/** The Ink application: keys and mouse in, one prebuilt string a line out. */

import { Text, useApp, useInput, useStdout } from "ink";
import { useEffect, useMemo, useReducer, useRef } from "react";
import type { Context } from "./context.ts";
import { frame, timelineParts } from "./frame.ts";
import { arrive, evidence, jump, move, sql } from "./going.ts";
import { keysIn, type Typed } from "./key-name.ts";
import { commandOfKey, matching } from "./keys.ts";
import { layoutOf } from "./layout.ts";
import { type MouseEvent, mouseEvent } from "./mouse.ts";
import { seqAtColumn } from "./panes/overview.ts";
import { initialState, type ReplayState, reduce } from "./state.ts";
import type { World } from "./world.ts";

export interface ReplayProps {
  readonly world: World;
  readonly start?: Partial<ReplayState>;
  readonly copy: (text: string) => void;
  /** Write the lines as a picture; returns the file's name. */
  readonly picture: (lines: readonly string[], columns: number) => string;
  readonly suspend: (resumed: () => void) => void;
  /** Told each state; for tests. */
  readonly onState?: (state: ReplayState) => void;
}

/** At most so many frames a second are made while playing; faster play makes several steps a frame. */
const FRAMES = 30;

export function Replay({ world, start, copy, picture, suspend, onState }: ReplayProps) {
  const { exit } = useApp();
  const { stdout } = useStdout();
  const [state, dispatch] = useReducer(reduce, null, () => ({ ...initialState(...sizeOf(stdout)), ...start }));
  // Commands look at the newest state, also those that go on in the background.
  const newest = useRef(state);
  newest.current = state;
  const running = useRef<AbortController | null>(null);

  const context = useMemo<Context>(
    () => ({
      world,
      state: () => newest.current,
      dispatch(action) {
        newest.current = reduce(newest.current, action);
        dispatch(action);
      },
      quit: () => {
        running.current?.abort();
        exit();
      },
      task() {
        running.current?.abort();
        running.current = new AbortController();
        return running.current.signal;
      },
      copy,
      picture: () => picture(frame(world, newest.current), newest.current.width),
    }),
    [world, copy, picture, exit],
  );

  useEffect(() => {
    const resized = (): void => {
      const [width, height] = sizeOf(stdout);
      context.dispatch({ type: "resize", width, height });
    };
    stdout.on("resize", resized);
    return () => void stdout.off("resize", resized);
  }, [stdout, context]);

  useEffect(() => {
    if (state.playing === 0) return;
    const steps = Math.max(1, Math.round(state.speed / FRAMES));
    const timer = setInterval(() => void play(context, steps), (1000 * steps) / state.speed);
    return () => clearInterval(timer);
  }, [state.playing, state.speed, context]);

  useInput((input, key) => {
    const mouse = mouseEvent(input);
    if (mouse !== null) return onMouse(context, mouse);
    for (const typed of keysIn(input, key)) onKey(typed);
  });

  function onKey({ name, text }: Typed): void {
    if (name === "ctrl-z") return suspend(() => context.dispatch({ type: "say", message: "" }));
    // Any key ends what goes on in the background.
    if (newest.current.busy) {
      running.current?.abort();
      context.dispatch({ type: "say", message: "stopped" });
      if (name === "escape") return;
    }
    if (newest.current.prompt !== null) return onTyped(context, text, name);
    if (newest.current.help && name === "escape") return context.dispatch({ type: "help", open: false });
    const command = commandOfKey.get(name);
    if (command !== undefined) void command.run(context);
  }

  useEffect(() => onState?.(state), [state, onState]);
  const lines = frame(world, state);
  return lines.map((line, i) => (
    <Text key={i} wrap="truncate">
      {line === "" ? " " : line}
    </Text>
  ));
}

/** One line less than the terminal has: Ink would clear the whole screen for every full frame. */
const sizeOf = ({ columns, rows }: { columns?: number; rows?: number }): [number, number] => [columns || 80, (rows || 24) - 1];

async function play(c: Context, steps: number): Promise<void> {
  const { playing, playWhat } = c.state();
  for (let i = 0; i < steps && playing !== 0; i += 1) {
    if (playWhat !== "evidence") await move(c, playWhat, playing);
    else if (!evidence(c, playing)) return c.dispatch({ type: "play", direction: 0 });
  }
}

function onMouse(c: Context, mouse: MouseEvent): void {
  const s = c.state();
  if (mouse.what === "wheel-up") return void move(c, "step", -1);
  if (mouse.what === "wheel-down") return void move(c, "step", 1);
  if (mouse.what === "release" || s.help || s.prompt !== null) return;
  if (mouse.line === 1) return arrive(c, seqAtColumn(mouse.column, s.width, c.world.rows.count), null);
  const { timeline, bodyTop } = layoutOf(s);
  const line = mouse.line - bodyTop;
  if (mouse.what !== "press" || line < 0 || line >= timeline.height || mouse.column >= timeline.width) return;
  const seq = timelineParts(c.world, s, timeline.width, timeline.height)[line]?.seq ?? -1;
  if (seq >= 0) arrive(c, seq, s.thread);
}

/** Longest text of a prompt. */
const MAX_TYPED = 2000;

function onTyped(c: Context, text: string, name: string): void {
  const { prompt, typed } = c.state();
  if (name === "escape" || name === "ctrl-c") return c.dispatch({ type: "prompt", prompt: null });
  if (name === "backspace") return c.dispatch({ type: "type", typed: [...typed].slice(0, -1).join("") });
  if (name === "ctrl-u") return c.dispatch({ type: "type", typed: "" });
  if (name !== "enter") {
    const printable = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
    if (printable !== "" && !name.startsWith("ctrl-")) c.dispatch({ type: "type", typed: (typed + printable).slice(0, MAX_TYPED) });
    return;
  }
  c.dispatch({ type: "prompt", prompt: null });
  switch (prompt) {
    case "jump":
      return jump(c, typed);
    case "search":
      if (typed !== "") c.dispatch({ type: "search", text: typed });
      return void move(c, "match", 1);
    case "sql":
      return void sql(c, typed);
    case "palette":
      return void matching(typed)[0]?.run(c);
  }
}
