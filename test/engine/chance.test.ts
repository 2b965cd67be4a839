/** The door for chance: what was answered at a place is answered again from the decisions, however often one place asks. */

import { expect, it } from "vitest";
import { type Door, decide } from "../../engine/chance.ts";
import { boot, parseScenario, type Run } from "../../engine/index.ts";

const scenario = parseScenario("name: asked\ntitle: asked\nmain: []\n", "asked");
const QUESTIONS = 400;
/** Two doors in turn, of different widths. */
const question = (i: number): [Door, number] => (i % 3 === 0 ? ["arrive", 2] : ["thread", 4]);
const answers = ({ cpu }: Run): number[] => Array.from({ length: QUESTIONS }, (_, i) => decide(cpu, ...question(i)));

it.each([1, 2, 3])("seed %i: many questions at one seq have the same answers again", (seed) => {
  const seeded = boot({ stack: "native-linux", scenario, scheduler: "seeded", seed });
  const answered = answers(seeded);
  // Answers that are the default stand before and between others: without them nobody knows which question a decision answers.
  const chosen = answered.map((choice, i) => ({ choice, door: question(i)[0] })).filter(({ choice }) => choice !== 0);
  expect(new Set(chosen.map(({ door }) => door)).size).toBe(2);
  expect(answered.indexOf(0)).toBeLessThan(answered.findIndex((choice) => choice !== 0));
  expect(answers(boot({ stack: "native-linux", scenario, scheduler: "recorded", decisions: seeded.decisions }))).toEqual(answered);
  // No more of them than it takes: the last of each door is no default.
  for (const door of ["arrive", "thread"]) expect(seeded.decisions.filter((one) => one.door === door).at(-1)?.choice).toBeGreaterThan(0);
});
