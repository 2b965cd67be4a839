/** Random keys at random sizes: never a crash, never a screen of another size, never a state that a run from the start does not have. */

import { expect, test } from "vitest";
import { boot, firstDifference, type Machine, parseScenario, type StackName } from "../../../engine/index.ts";
import { below, seedPrng } from "../../../engine/prng.ts";
import { displayWidth } from "../../../tui/present/safe.ts";
import { SGR } from "../../../tui/present/style.ts";
import { COMMANDS } from "../../../tui/replay/input/commands.ts";
import { onMouse } from "../../../tui/replay/input/input.ts";
import { MIN_HEIGHT, MIN_WIDTH } from "../../../tui/replay/screen/layout.ts";
import type { ReplaySession } from "../../../tui/replay/session.ts";
import { type Player, playerOf, sessionOf } from "../../support/replay.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();
/** In the campaign each run is longer: 20,000 steps in all. */
const TIMES = process.env.EINTR_TORTURE === undefined ? 1 : 2;
const SEED = Number(process.env.EINTR_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** States compared with a run from the start. */
const COMPARED = 60;
/** What a person types into prompts and the help; without SQL, which is asked in a process of its own. */
const TYPED = [..."jkfbq?/g:0123456789%.*+()aexSIGN \u007f"];

function checkScreen(player: Player): void {
  const { width, height } = player.state();
  const lines = player.screen().split("\n");
  expect(lines).toHaveLength(height);
  for (const line of lines) {
    const shown = line.replace(SGR, "");
    expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(displayWidth(shown), `${width}x${height}: ${shown}`).toBeLessThanOrEqual(Math.max(1, width));
  }
}

const MOUSE = ["press", "press", "drag", "drag", "release", "wheel-up", "wheel-down", "other"] as const;

/** Without what belongs to the scheduler: a keyframe has that of the recording, a run from the start that of the rerun. */
const shown = ({ rng, questions, ended, ...machine }: Machine) => machine;

/** JSON of the machine after these seqs, by one run from the start. */
function fromStart(session: ReplaySession, seqs: readonly number[]): Map<number, string> {
  const { info, decisions } = session.trace;
  const scenario = parseScenario(info.scenarioText, info.scenario);
  const run = boot({ stack: info.stack as StackName, scenario, scheduler: "recorded", seed: info.seed, decisions });
  const nowhere = { put() {} };
  const states = new Map<number, string>();
  for (const seq of [...new Set(seqs)].sort((a, b) => a - b)) {
    run.run(seq + 1 - run.machine.seq, nowhere);
    run.flush(nowhere);
    states.set(seq, JSON.stringify(shown(run.machine)));
  }
  return states;
}

const machineAt = (session: ReplaySession, seq: number): Machine => {
  const found = session.machines.at(seq);
  if ("none" in found) throw new Error(found.none);
  return found.machine;
};

test.each([
  ["lost-interrupted-error", "graphene-sgx", undefined, 4000],
  ["nested", "graphene-linux", undefined, 3000],
  ["sigsuspend-lock", "native-linux", undefined, 1000],
  ["server", "graphene-sgx", 50_000, 2000],
] as const)("%s on %s", async (name, stack, rows, often) => {
  const presses = often * TIMES;
  const session = await sessionOf(name, fresh(`${name}.trace`), rows === undefined ? { stack, color: true } : { stack, rows, color: true });
  const rng = seedPrng(SEED);
  const player = playerOf(session);
  const keys = COMMANDS.flatMap((command) => command.keys);
  const visited: number[] = [];
  const pressed: string[] = [];
  try {
    for (let i = 0; i < presses; i += 1) {
      const chance = below(rng, 1000);
      if (chance < 30) {
        const small = below(rng, 10) === 0;
        const width = small ? 1 + below(rng, MIN_WIDTH) : MIN_WIDTH + below(rng, 180);
        const height = small ? 1 + below(rng, MIN_HEIGHT) : MIN_HEIGHT + below(rng, 60);
        player.context.dispatch({ type: "resize", width, height });
        pressed.push(`${width}x${height}`);
      } else if (chance < 100) {
        const seq = below(rng, session.rows.count);
        player.context.dispatch({ type: "go", seq, thread: session.rows.at(seq)?.thread ?? 0 });
        pressed.push(`go ${seq}`);
      } else if (chance < 130) {
        const what = MOUSE[below(rng, MOUSE.length)] as (typeof MOUSE)[number];
        const [line, column] = [below(rng, player.state().height + 2), below(rng, player.state().width + 2)];
        await onMouse(player.context, { what, line, column });
        pressed.push(`${what} ${line},${column}`);
      } else if (chance < 180) {
        const text = Array.from({ length: 1 + below(rng, 4) }, () => TYPED[below(rng, TYPED.length)]).join("");
        // Out of whatever was opened: a prompt, or the help.
        await player.type(`${text}${below(rng, 2) === 0 ? "\r" : ""}\u001b`);
        pressed.push(JSON.stringify(text));
      } else {
        const key = keys[below(rng, keys.length)] as string;
        pressed.push(key);
        await player.press(key);
      }
      if (i % 5 === 0) checkScreen(player);
      if (i % Math.ceil(presses / COMPARED) === 0) visited.push(player.state().seq);
    }
    // In the order of the visits: going back and forth must not leave a mark.
    const expected = fromStart(session, visited);
    for (const seq of visited)
      expect(firstDifference(JSON.parse(expected.get(seq) ?? "null"), shown(machineAt(session, seq))), `state after seq ${seq}`).toBe("");
  } catch (error) {
    throw new Error(`seed ${SEED} (EINTR_SEED repeats it), last keys: ${pressed.slice(-20).join(" ")}`, { cause: error });
  } finally {
    session.trace.close();
  }
});
