/** The only door of the engine: what happens, as transitions. It reads no clock, no file, no environment, no random source. */

export { type Block, BLOCK_ROWS, COLUMN_NAMES, COLUMNS, type ColumnName, type Columns, newBlock, type Sink, type Source, transitionAt } from "./block.ts";
export { type Scheduler, SCHEDULERS } from "./chance.ts";
export { costOf, COSTS } from "./costs.ts";
export { errnoNumber, resultText } from "./errno.ts";
export { FIX_NAMES, type FixName, FIXES } from "./fixes.ts";
export { ACT, assemble, CALL, type Flow, RET, type Step, TEST } from "./flow.ts";
export { boot, Run, type RunOptions, ScenarioError } from "./machine.ts";
export { nearest } from "./nearest.ts";
export { EVENT, EVENT_NAMES, eventName, PAL_ERROR } from "./pal/events.ts";
export { parseScenario } from "./scenario/parse.ts";
export { NEVER, OPERATION_NAMES, OPERATIONS, type Scenario, type ScenarioInput, scenarioSchema, STACK_NAMES, type StackName } from "./scenario/schema.ts";
export { isSynchronous, SIGNAL_COUNT, SIGNAL_NAMES, signalName, signalNumber } from "./signals.ts";
export { STACKS } from "./stack/index.ts";
export { copyTree, firstDifference, type Frame, type Machine, type Process, type Thread } from "./state.ts";
export {
  CONTEXTS, type Decision, KIND, KIND_COUNT, type KindName, kindName, KINDS, LAYERS, type Layer, type Site, type ThreadInfo, type Transition,
} from "./transition.ts";
