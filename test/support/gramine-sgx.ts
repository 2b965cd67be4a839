/** Runs on gramine-sgx with signals at places of the PAL: where a call of the program comes to them, not where the start has. */

import type { OptionName, RunOptions, Scenario, ScenarioInput } from "../../engine/index.ts";
import { GRAMINE_LINUX, GRAMINE_SGX } from "./gramine.ts";
import { type Ran, type Row, rowsOf, runScenario, scenarioOf } from "./run-scenario.ts";

type Plan = NonNullable<ScenarioInput["signals"]>[number];

/** A signal of the host for a thread that is about to execute a place, in its first call of that name; without `in`: since its first call. */
export interface Pin {
  readonly signal: string;
  readonly site: string;
  readonly thread?: string;
  readonly in?: string;
  /** Visits after that. */
  readonly nth?: number;
  /** Visits count from the thread's very start. */
  readonly start?: boolean;
}

export interface Program extends Partial<Omit<ScenarioInput, "main" | "signals">> {
  readonly main: readonly unknown[];
  readonly signals?: readonly Plan[];
  readonly pins?: readonly Pin[];
}

export const QUICK = { quick: [{ compute: "1us" }] };

/** Scenarios end after a while, also those that turn for ever. */
const LIMIT = { time: "5s", transitions: 30_000 } as const;

const withSignals = ({ pins: _, signals, handlers, ...program }: Program, plans: readonly Plan[]): Scenario =>
  scenarioOf({ limit: LIMIT, ...program, handlers: { ...QUICK, ...handlers }, signals: plans });

const isCallOf = (row: Row, call: string | undefined): boolean =>
  row.what === "app.call" && (call === undefined || row.place.label.startsWith(`${call}(`) || row.place.label === call);

/** How often the thread has been at the place before the call, in a run that nobody interrupts. */
function visits(calm: Ran, { site, thread = "main", in: call, start: fromStart = false }: Pin): number {
  if (fromStart) return 0;
  const own = rowsOf(calm, { who: thread });
  const start = own.findIndex((row) => isCallOf(row, call));
  if (start < 0) throw new Error(`thread ${thread} makes no call ${call}`);
  return own.filter((row, i) => i < start && row.where === site).length;
}

/** For comparison: no library OS. */
export const NATIVE = "native";
const NAMES = {
  linux: GRAMINE_LINUX,
  sgx: GRAMINE_SGX,
  pr347: "graphene-pr347",
  pr1218: "graphene-pr1218",
  native: "native-linux",
} as const;

export function runGramine(
  stack: keyof typeof NAMES,
  program: Program,
  options: readonly OptionName[] = [],
  more: Pick<RunOptions, "scheduler" | "seed" | "fixes"> = {},
): Ran {
  const name = NAMES[stack];
  const { signals = [], pins = [] } = program;
  const calm = pins.length === 0 ? null : runScenario(withSignals(program, []), name, { options });
  const pinned = pins.map((pin): Plan => {
    const { signal, site, thread = "main", nth = 1 } = pin;
    return { signal, thread, when: { thread, site, nth: nth + (calm ? visits(calm, pin) : 0) } };
  });
  return runScenario(withSignals(program, [...signals, ...pinned]), name, { options, ...more });
}

export const onSgx = (
  program: Program,
  options: readonly OptionName[] = [],
  more: Pick<RunOptions, "scheduler" | "seed" | "fixes"> = {},
): Ran => runGramine("sgx", program, options, more);
