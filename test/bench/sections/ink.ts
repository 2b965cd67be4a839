/**
 * What the replay's way of drawing saves: frames of the replay through Ink as one text per line, which Ink lays out and measures, over the
 * same frames as prebuilt lines (`tui/replay/app.tsx`). In turns, the fastest of each counts.
 */

import { Writable } from "node:stream";
import { Box, render, Text, Transform } from "ink";
import { createElement, type ReactNode } from "react";
import { openTrace } from "../../../recorder/index.ts";
import { paint } from "../../../tui/present/style.ts";
import { frame } from "../../../tui/replay/screen/frame.ts";
import { openSession } from "../../../tui/replay/session.ts";
import { startState } from "../../../tui/replay/state.ts";

const FRAMES = 20;
const ROUNDS = 8;

export interface InkTimes {
  /** Milliseconds a frame. */
  readonly laidOut: number;
  readonly prebuilt: number;
}

export async function inkTimes(dir: string, columns: number, rows: number): Promise<InkTimes> {
  const trace = await openTrace(dir);
  const session = openSession(trace, { paint: paint(true), ascii: false }, null);
  const start = startState(session, columns, rows - 1);
  const frames = Array.from({ length: FRAMES }, (_, i) => frame(session, { ...start, seq: 300 + 7 * i }));
  trace.close();
  const laidOut = drawer(columns, rows, (lines) =>
    createElement(
      Box,
      { flexDirection: "column" },
      lines.map((line, i) => createElement(Text, { key: i, wrap: "truncate" }, line)),
    ),
  );
  const blank = Array.from({ length: rows - 1 }, () => " ".repeat(columns)).join("\n");
  const prebuilt = drawer(columns, rows, (lines) => createElement(Transform, { transform: (_, i) => lines[i] ?? "" }, blank));
  let best: InkTimes = { laidOut: Number.POSITIVE_INFINITY, prebuilt: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round += 1)
    best = { laidOut: Math.min(best.laidOut, laidOut.time(frames)), prebuilt: Math.min(best.prebuilt, prebuilt.time(frames)) };
  laidOut.close();
  prebuilt.close();
  return best;
}

function drawer(columns: number, rows: number, element: (lines: readonly string[]) => ReactNode) {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const stdout = Object.assign(sink, { columns, rows, isTTY: true }) as unknown as NodeJS.WriteStream;
  const app = render(element([]), { stdout, debug: true, patchConsole: false, exitOnCtrlC: false });
  return {
    /** Milliseconds a frame: React, layout, and the text that is written. */
    time(frames: readonly (readonly string[])[]): number {
      const began = performance.now();
      for (const lines of frames) app.rerender(element(lines));
      return (performance.now() - began) / frames.length;
    },
    close: () => app.unmount(),
  };
}
