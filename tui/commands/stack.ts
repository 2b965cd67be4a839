/** `eintr stack`: the flows of a stack as readable tables; the listing is the documentation of what is emulated. */

import { Command, Option } from "commander";
import {
  ACT,
  CALL,
  type FixName,
  type Flow,
  hint,
  KIND,
  kindName,
  type OptionName,
  RET,
  STACK_NAMES,
  STACKS,
  type StackName,
  type Step,
  TEST,
} from "../../engine/index.ts";
import { InputError, type Io } from "../io.ts";
import { fixOption, manifestOption, noteIgnored, stackName } from "../options.ts";
import { costsOf, costsText } from "../present/costs.ts";
import { historyJson, historyText } from "../present/history.ts";
import { paint } from "../present/style.ts";
import { switchesOf, switchesText } from "../present/switches.ts";

/** Longer lines are hard to read. */
const MOST_WIDTH = 120;
const LEAST_WIDTH = 60;

interface Options {
  flow?: string;
  fix?: FixName[];
  option?: OptionName[];
  costs?: boolean;
  history?: boolean;
  switches?: boolean;
  format: "text" | "json";
}

export function stackCommand(io: Io): Command {
  return new Command("stack")
    .description("print the flows of a stack: every function that is emulated, step by step, with its source")
    .argument("[name]", `one of ${STACK_NAMES.join(", ")}; without it, list them`)
    .option("--flow <name>", "only this flow")
    .option("--costs", "instead: what its transitions cost in virtual time, each number with its source")
    .option("--history", "instead: what changed between the generations, commit by commit, and the switches that do the same")
    .option("--switches", "instead: the fixes and options that can be switched on, and what each does")
    .addOption(fixOption())
    .addOption(manifestOption())
    .addOption(new Option("--format <name>", "tables, or one JSON object a flow").choices(["text", "json"]).default("text"))
    .addHelpText(
      "after",
      `
A step that makes another kind of transition than "step" says which, and "or"
what else it may be by how it comes out ("undefined" any step may be); "-> mark"
is where a branch goes, "calls" whom it enters.

Examples:
  eintr stack
  eintr stack graphene-sgx | less
  eintr stack graphene-sgx --flow _DkTerminateSighandler
  eintr stack graphene-sgx --costs
  eintr stack --history
  eintr stack gramine-sgx --switches
  diff <(eintr stack graphene-sgx) \\
       <(eintr stack graphene-sgx --fix sgx-interrupted-code-lost)`,
    )
    .action(async (name: string | undefined, options: Options) => {
      if (options.history === true) return tellHistory(io, name, options.format);
      if (options.switches === true) return tellSwitches(io, name, options.format);
      if (name === undefined) return io.out(STACK_NAMES.map((known) => `${known.padEnd(16)}${STACKS[known].text}\n`).join(""));
      const stack = stackName(name, "");
      const switches = [...(options.fix ?? []), ...(options.option ?? [])];
      noteIgnored(io, [stack], switches);
      if (options.costs === true) return tellCosts(io, stack, options.format);
      const flows = chosen(STACKS[stack].flows(new Set(switches)), options.flow);
      if (options.format === "json") return io.out(flows.map((flow) => `${JSON.stringify(flowJson(flow))}\n`).join(""));
      await io.out(flows.map((flow) => flowText(flow, io.color)).join("\n"));
      if (options.flow === undefined) await io.out(`\n${costsText(STACKS[stack], paint(io.color), widthOf(io))}`);
    });
}

const tellCosts = (io: Io, stack: StackName, format: Options["format"]): Promise<void> =>
  io.out(
    format === "json"
      ? costsOf(STACKS[stack])
          .map((cost) => `${JSON.stringify(cost)}\n`)
          .join("")
      : costsText(STACKS[stack], paint(io.color), widthOf(io)),
  );

const widthOf = ({ columns }: Io): number => Math.min(Math.max(columns ?? MOST_WIDTH, LEAST_WIDTH), MOST_WIDTH);

/** Throws InputError with a stack's name: the table is about all of them. */
async function tellHistory(io: Io, name: string | undefined, format: Options["format"]): Promise<void> {
  if (name !== undefined) throw new InputError(`--history is about all stacks: leave "${name}" out`);
  await io.out(format === "json" ? historyJson() : historyText(paint(io.color), widthOf(io)));
}

/** All of them, or those that the stack knows. */
async function tellSwitches(io: Io, name: string | undefined, format: Options["format"]): Promise<void> {
  const switches = switchesOf(name === undefined ? null : stackName(name, ""));
  await io.out(
    format === "json" ? switches.map((one) => `${JSON.stringify(one)}\n`).join("") : switchesText(switches, paint(io.color), widthOf(io)),
  );
}

function chosen(flows: readonly Flow[], wanted: string | undefined): readonly Flow[] {
  if (wanted === undefined) return flows;
  const found = flows.filter((flow) => flow.name === wanted);
  if (found.length > 0) return found;
  const names = flows.map((flow) => flow.name);
  throw new InputError(`--flow: no flow "${wanted}"${hint(wanted, names)}`);
}

const isStep = (item: Flow["items"][number]): item is Step => "op" in item;

function flowText(flow: Flow, color: Io["color"]): string {
  const { strong, dim } = paint(color);
  let number = 0;
  const lines = flow.items.map((item) => {
    if (!isStep(item)) return dim(`      ${item.mark}:`);
    number += 1;
    return `  ${String(number).padStart(3)}  ${item.label}${dim(aside(item))}`;
  });
  const note = flow.note === undefined ? [] : [`  note: ${flow.note}`];
  return `${strong(flow.name)}  ${dim(`${flow.layer}${flow.source === "" ? "" : `, reference ${flow.source}`}`)}\n${[...note, ...lines].join("\n")}\n`;
}

const QUIET: ReadonlySet<string> = new Set(["step", "branch", "call", "return"]);

function aside(step: Step): string {
  const kind = step.kinds
    .filter((id) => id !== KIND.undefined || step.kind === id)
    .map(kindName)
    .join(" or ");
  const parts = [
    step.op === TEST ? `-> ${step.to}` : "",
    step.op === CALL ? `calls ${step.callee === "" ? "(chosen at run time)" : step.callee}` : "",
    step.op === RET && step.kind !== KIND.return ? "returns" : "",
    QUIET.has(kind) ? "" : kind,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : `   [${parts.join("; ")}]`;
}

const OPS = { [ACT]: "act", [TEST]: "test", [CALL]: "call", [RET]: "return" } as const;

const flowJson = ({ name, layer, source, note, items }: Flow) => ({
  name,
  layer,
  source,
  note,
  steps: items.map((item) =>
    isStep(item)
      ? {
          op: OPS[item.op],
          label: item.label,
          kind: kindName(item.kind),
          kinds: item.kinds.map(kindName),
          ns: item.ns,
          to: item.to,
          callee: item.callee,
        }
      : item,
  ),
});
