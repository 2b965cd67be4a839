/** `eintr completion`: a script for the user's shell, made from the commands themselves. */

import { Argument, Command } from "commander";
import type { Io } from "../io.ts";

export function completionCommand(io: Io, program: Command): Command {
  return new Command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", "\nExamples:\n  source <(eintr completion bash)\n  eintr completion fish > ~/.config/fish/completions/eintr.fish")
    .action(async (shell: "bash" | "zsh" | "fish") => io.out(SCRIPTS[shell](program)));
}

const optionsOf = (command: Command): string[] => command.options.map((option) => option.long ?? option.short ?? "").concat("--help");
const namesOf = (program: Command): string[] => program.commands.map((command) => command.name());
const withCases = new Set(["record", "scenarios"]);

const SCRIPTS = {
  bash: (program: Command): string => `# eintr completion for bash
_eintr() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]}
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${namesOf(program).join(" ")}" -- "$word")); return; fi
  case "$command" in
${program.commands.map((command) => `    ${command.name()}) COMPREPLY=($(compgen -W "${optionsOf(command).join(" ")}${withCases.has(command.name()) ? " $(eintr scenarios --format names 2>/dev/null)" : ""}" -- "$word")) ;;`).join("\n")}
  esac
  COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _eintr eintr
`,
  zsh: (program: Command): string => `#compdef eintr
# eintr completion for zsh
_eintr() {
  local -a commands
  commands=(
${program.commands.map((command) => `    '${command.name()}:${command.description().replaceAll("'", "").replaceAll(":", " ")}'`).join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "$words[2]" in
${program.commands.map((command) => `    ${command.name()}) compadd -- ${optionsOf(command).join(" ")}${withCases.has(command.name()) ? " $(eintr scenarios --format names 2>/dev/null)" : ""} ;;`).join("\n")}
  esac
  _files
}
compdef _eintr eintr
`,
  fish: (program: Command): string =>
    `# eintr completion for fish\n${program.commands
      .flatMap((command) => [
        `complete -c eintr -n __fish_use_subcommand -a ${command.name()} -d '${command.description().replaceAll("'", "")}'`,
        ...command.options
          .filter((option) => option.long)
          .map(
            (option) =>
              `complete -c eintr -n '__fish_seen_subcommand_from ${command.name()}' -l ${option.long?.slice(2)} -d '${option.description.replaceAll("'", "")}'`,
          ),
      ])
      .join(
        "\n",
      )}\ncomplete -c eintr -n '__fish_seen_subcommand_from record scenarios' -a '(eintr scenarios --format names 2>/dev/null)'\n`,
};
