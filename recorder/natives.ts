/**
 * What a call got, or would have got, on Linux without a library OS: from the log the scenario came from, else from a run of the
 * scenario on `native-linux`. Kept beside the real result in table `syscall`.
 */

import { expectedResults } from "../engine/app/expected.ts";
import { ScenarioError } from "../engine/errors.ts";
import { boot } from "../engine/machine.ts";
import { parseScenario } from "../engine/scenario/parse.ts";
import type { Scenario } from "../engine/scenario/schema.ts";
import type { TransitionReader } from "./arrow-read.ts";
import type { Natives } from "./derive.ts";
import { errorText } from "./errors.ts";
import { callKey, type SeenCalls, watchCalls } from "./seen-calls.ts";
import type { QualityCounter } from "./trace-format.ts";

/** The oracle runs for so many transitions at most. */
const ORACLE_ROWS = 2_000_000;
const SLICE_ROWS = 16_384;

export interface NativeAnswers {
  /** Undefined where there is nothing to compare with: a native run itself, or one that no engine made. */
  readonly natives: Natives | undefined;
  /** Why they are missing although there should be some; complete once `prepare` is through. */
  readonly quality: readonly QualityCounter[];
  /** Has the oracle run, in slices, before the first call is asked for. */
  prepare(): Generator<void, void, void>;
}

function* nothingToDo(): Generator<void, void, void> {}

export function nativeAnswers({ info, sites, threads }: Pick<TransitionReader, "info" | "sites" | "threads">): NativeAnswers {
  const without = (quality: readonly QualityCounter[]): NativeAnswers => ({ natives: undefined, quality, prepare: nothingToDo });
  if (info.origin !== "emulated") return without([]);
  let scenario: Scenario;
  try {
    scenario = parseScenario(info.scenarioText, "the trace's scenario");
  } catch (error) {
    // An older or a newer eintr wrote it: the rows are as good as ever.
    if (!(error instanceof ScenarioError)) throw error;
    return without([unknown(error.message)]);
  }
  const expected = expectedResults(scenario);
  if (expected.size > 0)
    return { natives: ({ site, nr }) => expected.get(sites[site]?.flow ?? "")?.[nr] ?? null, quality: [], prepare: nothingToDo };
  if (info.stack === "native-linux") return without([]);
  const quality: QualityCounter[] = [];
  let oracle: SeenCalls["seen"] = new Map();
  return {
    natives: (call) => oracle.get(callKey(threads[call.thread]?.name ?? "", call))?.result ?? null,
    quality,
    *prepare() {
      oracle = yield* nativeRun(scenario, info.seed, quality);
    },
  };
}

/** Yields after each slice: two million transitions take longer than anybody waits for Ctrl-C. */
function* nativeRun(scenario: Scenario, seed: number, quality: QualityCounter[]): Generator<void, SeenCalls["seen"], void> {
  let seen: SeenCalls["seen"] = new Map();
  try {
    const run = boot({ stack: "native-linux", scenario, seed });
    const calls = watchCalls(run);
    seen = calls.seen;
    for (let rows = 0; rows < ORACLE_ROWS && run.run(SLICE_ROWS, calls); rows += SLICE_ROWS) yield;
    run.flush(calls);
  } catch (error) {
    // A place of another stack, beyond what is emulated on Linux alone, or a bug of ours: what came before it is known, and the trace is as good as ever.
    const known = error instanceof ScenarioError;
    quality.push({ ...unknown(known ? error.message : `a bug of eintr: ${errorText(error)}`), severity: known ? "notice" : "error" });
  }
  return seen;
}

const unknown = (why: string): QualityCounter => ({
  name: "native-results-unknown",
  count: 1,
  severity: "notice",
  advice: `what Linux alone would have answered is not known: ${why}`,
});
