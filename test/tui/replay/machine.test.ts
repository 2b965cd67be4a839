/** The state is that of the place, whichever way one came there. */

import { expect, test } from "vitest";
import { machinesOf, type StateAt } from "../../../tui/replay/machine/machine-at.ts";
import type { ReplaySession } from "../../../tui/replay/session.ts";
import { sessions } from "../../support/replay.ts";

const session = sessions();

/** Onward, a step back, back behind the run that is kept, over a keyframe and back. */
const PLACES = [15_000, 14_999, 14_500, 13_999, 12_000, 17_000, 16_999, 16_390, 3] as const;

const text = (state: StateAt): string => ("none" in state ? state.none : state.run.keyframe());

const machines = ({ trace, rows }: ReplaySession, scheduler: string) =>
  machinesOf({ ...trace, info: { ...trace.info, scheduler }, decisions: trace.decisions } as typeof trace, rows);

test.each(["scripted", "recorded"])("made %s: back and forth is as straight there", async (scheduler) => {
  const w = await session("server", { rows: 18_000 });
  const walked = machines(w, scheduler);
  for (const seq of PLACES) {
    const state = text(walked.at(seq));
    expect(JSON.parse(state).seq).toBe(seq + 1);
    expect(state).toBe(text(machines(w, scheduler).at(seq)));
  }
});

test("a recording that says it was scripted and was not has its state by its decisions", async () => {
  const w = await session("server", { rows: 3000 });
  const [first] = w.trace.decisions;
  expect(first).toBeDefined();
  // Another seed: the script alone would decide otherwise.
  const info = { ...w.trace.info, seed: w.trace.info.seed + 1 };
  const other = machinesOf({ ...w.trace, info, decisions: w.trace.decisions } as typeof w.trace, w.rows);
  expect(JSON.parse(text(other.at(2500))).seq).toBe(2501);
});
