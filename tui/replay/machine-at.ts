/** The whole state of the machine after any transition: the keyframe before it, and the run from there. */

import { boot, type Machine, parseScenario, type Run, type Scenario, type Sink } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { fixNames, stackName } from "../options.ts";

const NOWHERE: Sink = { put() {} };

export interface MachineAt {
  /** The machine after transition `seq`, or why there is none. The machine is the run's own: look, do not keep. */
  at(seq: number): { readonly machine: Machine; readonly run: Run } | { readonly none: string };
}

export function machinesOf(trace: Trace): MachineAt {
  const { info } = trace;
  if (info.origin !== "emulated")
    return { at: () => ({ none: "this trace was imported from a real run: there is no machine to look into" }) };
  let scenario: Scenario | null = null;
  /** A run that stands after `seq`; going on is cheaper than going back to a keyframe. */
  let here: { run: Run; seq: number } | null = null;

  function from(seq: number): { run: Run; seq: number } {
    scenario ??= parseScenario(info.scenarioText, `scenario of ${trace.dir}`);
    const options = {
      stack: stackName(info.stack),
      scenario,
      fixes: info.fixes.flatMap((name) => fixNames(name)),
      scheduler: "recorded" as const,
      seed: info.seed,
      decisions: trace.decisions,
    };
    const keyframe = trace.keyframeBefore(seq);
    if (keyframe === null) return { run: boot(options), seq: -1 };
    const known = (JSON.parse(keyframe.state) as Machine).threads.length;
    return { run: boot(options, keyframe.state, trace.threads.slice(0, known)), seq: keyframe.seq };
  }

  return {
    at(seq) {
      const keyframe = here !== null && here.seq <= seq ? trace.keyframeBefore(seq) : null;
      if (here === null || here.seq > seq || (keyframe !== null && keyframe.seq > here.seq)) here = from(seq);
      if (here.seq < seq) here.run.run(seq - here.seq, NOWHERE);
      here.run.flush(NOWHERE);
      here.seq = seq;
      return { machine: here.run.machine, run: here.run };
    },
  };
}
