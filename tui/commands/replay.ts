/** `eintr replay`: the terminal application. Ink is loaded for it alone, here or ahead in command-line.ts: other commands start without it. */

import { Command, Option } from "commander";
import { STACK_NAMES } from "../../engine/index.ts";
import { InputError, type Io } from "../io.ts";
import { fixOption, manifestOption, stackNames, WHERE_SWITCHES_ARE, wholeNumber } from "../options.ts";
import type { ReplayOptions } from "../replay/run.tsx";

export function replayCommand(io: Io): Command {
  return new Command("replay")
    .description("step through a trace in the terminal, forward and back")
    .argument("<trace|case>", "trace folder, or a case as for eintr record (recorded for the time of the replay)")
    .argument("[with]", "another trace, to stand beside it")
    .addOption(fixOption().default(undefined, "none"))
    .addOption(manifestOption().default(undefined, "none"))
    .addOption(
      new Option(
        "--stack <name>",
        `of a case: run it on this stack, and with a second one beside that; of a trace: beside it (${STACK_NAMES.join(", ")})`,
      ).argParser(stackNames),
    )
    .option("--with <trace>", "the other trace, too")
    .option("--at <seq>", "begin here", wholeNumber("--at"))
    .option("--finding <n>", "begin at this finding", wholeNumber("--finding", 1))
    .option("--ascii", "draw with plain characters")
    .addHelpText(
      "after",
      `
With --fix, --option or another stack the same scenario is run that way too, and
the two runs stand side by side (pane 7, compare). A case without --stack is run
on graphene-sgx. In the replay, ? lists the keys.

${WHERE_SWITCHES_ARE}

Examples:
  eintr replay lost-interrupted-error
  eintr replay a.trace b.trace
  eintr replay a.trace --finding 1
  eintr replay a.trace --fix sgx-interrupted-code-lost
  eintr replay a.trace --stack native-linux
  eintr replay w12-pause-alarm --stack graphene-linux
  eintr replay w12-pause-alarm --stack graphene-linux,gramine-linux`,
    )
    .action(async (name: string, other: string | undefined, given: ReplayOptions) => {
      if (other !== undefined && given.with !== undefined)
        throw new InputError(`--with ${given.with}: ${other} is the other trace already: leave one of them out`);
      const options = other === undefined ? given : { ...given, with: other };
      if (process.stdout.isTTY !== true || process.stdin.isTTY !== true)
        throw new InputError("eintr replay needs a terminal; for a file or a pipe use eintr show");
      // A terminal without a cursor gets the verdict in words, and where to read on.
      if (process.env.TERM === "dumb") return await (await import("../replay/in-words.ts")).tellInWords(io, name);
      const { runReplay } = await import("../replay/run.tsx");
      await runReplay(io, name, options);
    });
}
