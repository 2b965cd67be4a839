/** `eintr completion`: a script for the user's shell, made from the commands themselves. The words are in it: no program runs at a Tab. */

import { Argument, type Command, Command as NewCommand, type Option } from "commander";
import { LINTS, RULES } from "../../analyzer/catalogue.ts";
import { FIX_NAMES, OPTION_NAMES, PAGE_NAMES, STACK_NAMES, STACKS } from "../../engine/index.ts";
import { describeSchema } from "../../recorder/index.ts";
import type { Io } from "../io.ts";
import { listScenarios } from "../scenarios.ts";

export function completionCommand(io: Io, program: Command): Command {
  return new NewCommand("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  source <(eintr completion bash)
  eintr completion zsh > ~/.zfunc/_eintr      # a folder of $fpath
  eintr completion fish > ~/.config/fish/completions/eintr.fish`,
    )
    .action(async (shell: "bash" | "zsh" | "fish") => io.out(SCRIPTS[shell](program)));
}

/** What may stand in a place: known words, and perhaps what is on the disk. */
interface Values {
  readonly words: readonly string[];
  readonly files?: "any" | "folders";
}

const scenarios = (): string[] => listScenarios().map((scenario) => scenario.name);
const tables = (): string[] => [...describeSchema().tables, ...describeSchema().views].map((table) => table.name);
/** Flows of C functions; the others have blanks in their names. */
const flows = (): string[] => {
  const names = STACK_NAMES.flatMap((stack) => STACKS[stack].flows(new Set()).map((flow) => flow.name));
  return [...new Set(names)].filter((name) => /^\w+$/.test(name));
};

/** By option, by command and argument, or by the value's name in the help. Commander knows choices itself. */
const VALUES: Readonly<Record<string, () => Values>> = {
  "--stack": () => ({ words: STACK_NAMES }),
  "--fix": () => ({ words: FIX_NAMES }),
  "--option": () => ({ words: OPTION_NAMES }),
  "--rule": () => ({ words: RULES.map((rule) => rule.id) }),
  "--flow": () => ({ words: flows() }),
  "explain name": () => ({ words: [...[...RULES, ...LINTS].map((entry) => entry.id), ...STACK_NAMES, ...PAGE_NAMES] }),
  "stack name": () => ({ words: STACK_NAMES }),
  "scenarios name": () => ({ words: scenarios() }),
  "schema table": () => ({ words: tables() }),
  case: () => ({ words: scenarios(), files: "any" }),
  "trace|case": () => ({ words: scenarios(), files: "any" }),
  trace: () => ({ words: [], files: "folders" }),
  other: () => ({ words: [], files: "folders" }),
  dir: () => ({ words: [], files: "folders" }),
  file: () => ({ words: [], files: "any" }),
};

const valuesOf = (choices: readonly string[] | undefined, ...keys: readonly string[]): Values =>
  choices === undefined ? (keys.map((key) => VALUES[key]).find((found) => found !== undefined)?.() ?? { words: [] }) : { words: choices };

interface Place {
  readonly name: string;
  readonly values: Values;
}
interface Switch {
  /** --output and -o. */
  readonly names: readonly string[];
  readonly text: string;
  /** What follows it; null for nothing. */
  readonly value: Place | null;
}
interface Shape {
  readonly name: string;
  readonly text: string;
  readonly switches: readonly Switch[];
  readonly places: readonly Place[];
}

function switchOf(option: Option): Switch {
  const name = /[<[]([^>\]]+)/.exec(option.flags)?.[1];
  const names = [option.long, option.short].filter((one) => one !== undefined && one !== null);
  const value = name === undefined ? null : { name, values: valuesOf(option.argChoices, option.long ?? "", name) };
  return { names, text: option.description, value };
}

const shapeOf = (command: Command): Shape => ({
  name: command.name(),
  text: command.description(),
  switches: [...command.options.map(switchOf), { names: ["--help", "-h"], text: "help", value: null }],
  places: command.registeredArguments.map((argument) => ({
    name: argument.name(),
    values: valuesOf(argument.argChoices, `${command.name()} ${argument.name()}`, argument.name()),
  })),
});

function shapesOf(program: Command): Shape[] {
  const shapes = program.commands.map(shapeOf);
  const words = shapes.map((shape) => shape.name);
  return [...shapes, { name: "help", text: "help of a command", switches: [], places: [{ name: "command", values: { words } }] }];
}

const longNames = (switches: readonly Switch[]): string => switches.flatMap(({ names }) => names.slice(0, 1)).join(" ");

function bash(program: Command): string {
  const shapes = shapesOf(program);
  const reply = ({ words, files }: Values): string => `words="${words.join(" ")}"${files === undefined ? "" : ` files=${files}`}`;
  const valued = shapes.flatMap(({ name, switches }) =>
    switches.flatMap(({ names, value }) => (value === null ? [] : names.map((option) => ({ key: `${name} ${option}`, value })))),
  );
  const known = [
    ...valued.map(({ key, value }) => ({ key, values: value.values })),
    ...shapes.flatMap(({ name, places }) => places.map(({ values }, i) => ({ key: `${name} ${i}`, values }))),
  ].filter(({ values }) => values.words.length > 0 || values.files !== undefined);
  const cases = [
    ...known.map(({ key, values }) => `    "${key}") ${reply(values)} ;;`),
    ...shapes.map(({ name, switches }) => `    "${name} -") words="${longNames(switches)}" ;;`),
  ];
  return `# eintr completion for bash
_eintr() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" command="" option="" place=0 words="" files="" i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    # --stack=x comes as three words.
    if [[ $word == = && -n $option ]]; then continue
    elif [[ -n $option ]]; then option=""
    elif [[ -n $command && " ${[...new Set(valued.map(({ key }) => key.split(" ")[1]))].join(" ")} " == *" $word "* ]]; then option=$word
    elif [[ $word == -* ]]; then continue
    elif [[ -z $command ]]; then command=$word
    else place=$((place + 1)); fi
  done
  if [[ $cur == = ]]; then cur=""; fi
  if [[ -n $option ]]; then place=$option; elif [[ $cur == -* ]]; then place=-; fi
  case "$command $place" in
    " 0") words="${shapes.map((shape) => shape.name).join(" ")}" ;;
    " -") words="--version --help" ;;
${cases.join("\n")}
  esac
  COMPREPLY=()
  if [[ -n $files ]]; then compopt -o filenames 2>/dev/null; fi
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
    compgen -W "$words" -- "$cur"
    case "$files" in any) compgen -f -- "$cur" ;; folders) compgen -d -- "$cur" ;; esac
  )
}
complete -F _eintr eintr
`;
}

/** A text inside '...' of zsh, what its completion gives a meaning to escaped. */
const quotable = (text: string): string => text.replaceAll("'", "'\\''").replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:");

function zsh(program: Command): string {
  const shapes = shapesOf(program);
  const action = ({ words, files }: Values): string => {
    const known = words.length === 0 ? "" : `compadd -- ${words.join(" ")}; `;
    return files === undefined && known === ""
      ? " "
      : `{${known}${files === undefined ? "" : `_files${files === "folders" ? " -/" : ""}`}}`;
  };
  const specs = ({ switches, places }: Shape): string[] => [
    ...switches.flatMap(({ names, text, value }) =>
      names.map((name) => {
        const spelled = value !== null && name.startsWith("--") ? `${name}=` : name;
        return `'*${spelled}[${quotable(text)}]${value === null ? "" : `:${quotable(value.name)}:${action(value.values)}`}'`;
      }),
    ),
    ...places.map(({ name, values }) => `':${quotable(name)}:${action(values)}'`),
  ];
  return `#compdef eintr
# eintr completion for zsh
_eintr() {
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
${shapes.map(({ name, text }) => `    '${name}:${quotable(text)}'`).join("\n")}
  )
  _arguments -C '--version[version]' '--help[help]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) case $line[1] in
${shapes.map((shape) => `      ${shape.name}) _arguments ${specs(shape).join(" ")} ;;`).join("\n")}
    esac ;;
  esac
}
if [[ $funcstack[1] == _eintr ]]; then _eintr "$@"; else compdef _eintr eintr; fi
`;
}

function fish(program: Command): string {
  const shapes = shapesOf(program);
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const given = ({ words, files }: Values): string => {
    const folders = files === "folders" ? ["(__fish_complete_directories (commandline -ct))"] : [];
    const known = [...words, ...folders].join(" ");
    return `${files === "any" ? " -F" : ""}${known === "" ? "" : ` -a ${quoted(known)}`}`;
  };
  // -x: a value must follow, and it is no file; -r with -F: it may be one.
  const after = (values: Values): string => (values.files === "any" ? " -r" : " -x") + given(values);
  const lines = shapes.flatMap(({ name, text, switches, places }) => {
    const inside = `complete -c eintr -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c eintr -n __fish_use_subcommand -a ${name} -d ${quoted(text)}`,
      ...switches.map(({ names, text: what, value }) => {
        const spelled = names.map((one) => (one.startsWith("--") ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`)).join(" ");
        return `${inside} ${spelled}${value === null ? "" : after(value.values)} -d ${quoted(what)}`;
      }),
      ...places.map(({ values }) => `${inside}${given(values)}`),
    ];
  });
  return `# eintr completion for fish\ncomplete -c eintr -f\n${lines.join("\n")}\n`;
}

const SCRIPTS = { bash, zsh, fish };
