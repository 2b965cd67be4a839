/** The documentation of a rule, or of an entry of the catalogue without a rule, as text. */

import type { Lint, Rule } from "../../analyzer/index.ts";
import type { Layer } from "../../engine/index.ts";
import { type Paint, paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

const INDENT = "  ";
const PLAIN = paint(false);

/** The first line of facts: its words of the palette in their colours. */
function inTheirTones(text: string, { severity, layers }: Rule | Lint, { tone }: Paint): string {
  const [head = "", ...rest] = text.split("; generations ");
  const painted = head
    .replace(new RegExp(`(severity\\s)${severity}`), (_, before: string) => before + tone[severity](severity))
    .replace(/(layers\s)(.*)$/s, (_, before: string, names: string) => before + layersPainted(names, layers, tone));
  return [painted, ...rest].join("; generations ");
}

const layersPainted = (text: string, layers: readonly Layer[], tone: Paint["tone"]): string =>
  text.replace(/[a-z-]+/g, (name) => (layers.includes(name as Layer) ? tone[name as Layer](name) : name));

/** Lines of at most `width` cells, but for the commands at the end. `style`: headings, severity and layers as everywhere. */
export function explanation(entry: Rule | Lint, width = 88, style: Paint = PLAIN): string {
  const section = (title: string, ...paragraphs: readonly string[]): string =>
    [style.strong(title), ...indented(paragraphs, width)].join("\n");
  const { id, title, severity, layers, generations, source } = entry;
  const parts = [
    wrapCells(`${id}: ${title}`, width).map(style.strong).join("\n"),
    inTheirTones(
      wrapCells(`severity ${severity}; layers ${layers.join(", ")}; generations ${generations.join(", ")}; ${source}`, width).join("\n"),
      entry,
      style,
    ),
    ...sectionsOf(entry).map(([heading, paragraphs]) => section(heading, ...paragraphs)),
    ...("invalid" in entry ? [[style.strong("See it"), ...seeIt(entry).map((line) => INDENT + line)].join("\n")] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The page's parts, each with its paragraphs; those that begin with "- " are a list. */
export function sectionsOf(entry: Rule | Lint): readonly (readonly [heading: string, paragraphs: readonly string[]])[] {
  const ignore = "invalid" in entry ? entry.ignore.map(({ text }) => `- ${text}`) : entry.ignore.map((text) => `- ${text}`);
  return [
    ["What", [entry.what]],
    ["Why it matters", [entry.why]],
    ["How to recognise it", [entry.recognise]],
    ...(ignore.length === 0 ? [] : [["When to ignore it", ignore] as const]),
    ["How it was fixed", [entry.remedy]],
    "invalid" in entry ? ["Cost of a finding", [entry.cost]] : ["Why there is no rule", [entry.whyNoRule]],
  ];
}

const indented = (paragraphs: readonly string[], width: number): string[] =>
  paragraphs.flatMap((text) => wrapCells(text, width - INDENT.length)).map((line) => INDENT + line);

/** Commands that show the first example. They are not wrapped: they are there to be pasted. */
export function seeIt(rule: Rule): string[] {
  const [{ scenario, stacks = [] }] = rule.invalid;
  if (typeof scenario !== "string") return ["no stack of today does it: its example is a trace made by hand"];
  const isBuiltIn = !scenario.includes("\n");
  return [
    ...(isBuiltIn ? [] : [`eintr explain ${rule.id} --example > example.yaml`]),
    `eintr record ${isBuiltIn ? scenario : "example.yaml"} --stack ${stacks[0]} -o a.trace`,
    "eintr analyze a.trace",
    ...(rule.fix === null ? [] : [`eintr rerun a.trace --fix ${rule.fix}`]),
  ];
}

/** The scenario of a rule's first example as a file; null when it is a built-in one or no scenario. */
export function exampleText(rule: Rule): string | null {
  const [{ scenario, name, stacks = [], fixes = [] }] = rule.invalid;
  if (typeof scenario !== "string" || !scenario.includes("\n")) return null;
  const lines = scenario.replace(/^\n+/, "").trimEnd().split("\n");
  const indent = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
  const run = `eintr record FILE --stack ${stacks[0]}${fixes.map((fix) => ` --fix ${fix}`).join("")}`;
  return [
    `# An example of ${rule.id}: ${run}`,
    `name: ${rule.id}`,
    `title: ${JSON.stringify(name)}`,
    ...lines.map((line) => line.slice(indent)),
  ]
    .map((line) => `${line}\n`)
    .join("");
}
