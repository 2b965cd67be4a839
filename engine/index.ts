/** The only door of the engine: what happens, as transitions. It reads no clock, no file, no environment, no random source. */

export { expectedResults, logLines } from "./app/expected.ts";
export {
  BLOCK_ROWS,
  type Block,
  COLUMN_NAMES,
  COLUMNS,
  type ColumnName,
  type Columns,
  type Ending,
  type Known,
  type Lists,
  newBlock,
  type Sink,
  type Source,
  STATE_COLUMNS,
  type StateColumn,
  transitionAt,
} from "./block.ts";
export { INTERRUPTIBLE, IPC_WAITS, POLLS, RESTARTABLE, WRITES } from "./call-lists.ts";
export { type CallName, syscallOf } from "./call-names.ts";
export { CHOICE_KINDS, type ChoiceKind, type Chooser } from "./choice.ts";
export { exhaustive, recorded, SCHEDULERS, type Scheduler, scripted, seeded } from "./choosers.ts";
export { COSTS, type Cost, costOf } from "./costs.ts";
export { E, errnoNumber, resultText } from "./errno.ts";
export { BrokenLaw, type BrokenRun, ScenarioError } from "./errors.ts";
export { FIX_NAMES, FIXES, type FixName, isFix } from "./fixes.ts";
export { ACT, assemble, CALL, type Flow, RET, type Step, TEST } from "./flow.ts";
export { flowAt } from "./flow-names.ts";
export { HISTORY, type Step as HistoryStep } from "./history.ts";
export { CHANGED_CASES } from "./history-cases.ts";
export type { KernelName } from "./host/flows.ts";
export { checkInvariants } from "./invariant.ts";
export { missingCall } from "./libos/unimplemented.ts";
export { boot, optionsOf } from "./machine.ts";
export { hint, near } from "./nearest.ts";
export { isOption, OPTION_NAMES, OPTIONS, type OptionName, type SwitchName } from "./options.ts";
export { EVENT, EVENT_NAMES, errnoOf, eventName, isSyncEvent, PAL_ERROR } from "./pal/events.ts";
export { CLOBBER } from "./pal/sgx/entry.ts";
export { Run, type RunOptions } from "./run.ts";
export { scenarioJsonSchema } from "./scenario/json-schema.ts";
export { scenarioLines } from "./scenario/lines.ts";
export { canBeLogged, isRowField, type Programs, programsOf, rowFieldsOf } from "./scenario/logged.ts";
export { type Field, type FormMap, operationPages, PAGE_NAMES, type Page, pages, scenarioMaps } from "./scenario/manual.ts";
export { createRowPacker, packAlone, type RowPacker } from "./scenario/packed-rows.ts";
export { parseScenario } from "./scenario/parse.ts";
export {
  duration,
  OPERATION_NAMES,
  OPERATIONS,
  operationOf,
  type Scenario,
  type ScenarioInput,
  scenarioSchema,
} from "./scenario/schema.ts";
export { type PlaceOf, readSource } from "./scenario/source.ts";
export { DURATION_WORDS, durationOf } from "./scenario/values.ts";
export { type ArrivalSearch, type Searched, searchArrivals } from "./search/search.ts";
export { isSynchronous, linuxDefault, SIG, SIGNAL_COUNT, SIGNAL_NAMES, signalName, signalNumber, signalsIn } from "./signals.ts";
export {
  addStack,
  type Events,
  findStackName,
  HOPS,
  type Hop,
  type Mechanism,
  type Reader,
  type Shown,
  STACK_NAMES,
  STACKS,
  type Stack,
  type StackColumns,
  type StackName,
  type StateLine,
  type StateView,
  shownBy,
  signalIdReader,
  stacksKnowing,
  type Told,
} from "./stack/index.ts";
export { copyTree, type Frame, firstDifference, keyOf, type Machine, type Process, type Thread } from "./state.ts";
export { NEVER } from "./time.ts";
export {
  CARRIES_SIGNAL_ID,
  CONTEXTS,
  DETAILS,
  type Decision,
  KIND,
  KIND_COUNT,
  KINDS,
  type KindEntry,
  type KindName,
  kindName,
  LAYERS,
  type Layer,
  type Site,
  type ThreadInfo,
  type Transition,
  WHY,
} from "./transition.ts";
