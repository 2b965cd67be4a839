/** Every command but the replay, in one piece: each module that is loaded costs a start about a millisecond. */

export { analyzeCommand as analyze } from "./analyze.ts";
export { caseCommand as case } from "./case.ts";
export { checkCommand as check } from "./check.ts";
export { compareCommand as compare } from "./compare.ts";
export { completionCommand as completion } from "./completion.ts";
export { demoCommand as demo } from "./demo.ts";
export { diffCommand as diff } from "./diff.ts";
export { explainCommand as explain } from "./explain.ts";
export { exportCommand as export } from "./export.ts";
export { helpCommand as help } from "./help.ts";
export { manCommand as man } from "./man.ts";
export { packCommand as pack } from "./pack.ts";
export { queryCommand as query } from "./query.ts";
export { recordCommand as record } from "./record.ts";
export { reportCommand as report } from "./report.ts";
export { rerunCommand as rerun } from "./rerun.ts";
export { rulesCommand as rules } from "./rules.ts";
export { scenariosCommand as scenarios } from "./scenarios.ts";
export { schemaCommand as schema } from "./schema.ts";
export { showCommand as show } from "./show.ts";
export { stackCommand as stack } from "./stack.ts";
