/** The catalogue as a list and as one document. */

import { LINTS, RULES } from "../../analyzer/catalogue.ts";
import { GENERATIONS, type Lint, type Rule, SEVERITIES } from "../../analyzer/index.ts";
import { LAYERS } from "../../engine/index.ts";
import { exampleText, sectionsOf, seeIt } from "./explain.ts";
import type { Paint } from "./style.ts";

type Entry = Rule | Lint;

/** What an entry must be; what is not given does not matter. */
export interface Choice {
  readonly layer?: string | undefined;
  readonly generation?: string | undefined;
  readonly severity?: string | undefined;
}

/** Entries by generation, then from the gravest to the lightest, then by name. */
export function catalogue({ layer, generation, severity }: Choice = {}): Entry[] {
  const rank = (entry: Entry): number => GENERATIONS.indexOf(entry.generations[0] ?? "any") * 10 + 9 - SEVERITIES.indexOf(entry.severity);
  return [...RULES, ...LINTS]
    .filter((entry) => layer === undefined || entry.layers.some((one) => one === layer))
    .filter((entry) => generation === undefined || entry.generations.some((one) => one === generation))
    .filter((entry) => severity === undefined || entry.severity === severity)
    .sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
}

/** One line for each entry, under its generation. */
export function catalogueText(entries: readonly Entry[], { strong, tone }: Paint): string {
  const width = Math.max(0, ...entries.map(({ id }) => id.length));
  const layers = Math.max(0, ...entries.map((entry) => entry.layers.join(",").length));
  const parts = GENERATIONS.flatMap((generation) => {
    const own = entries.filter((entry) => entry.generations[0] === generation);
    if (own.length === 0) return [];
    const lines = own.map(
      (entry) =>
        `  ${entry.id.padEnd(width)}  ${tone[entry.severity](entry.severity.padEnd(8))}  ${entry.layers.join(",").padEnd(layers)}  ${"invalid" in entry ? "" : "(page only) "}${entry.title}\n`,
    );
    return [`${strong(HEADINGS[generation])}\n${lines.join("")}`];
  });
  return parts.join("\n");
}

export const HEADINGS = {
  any: "Any trace",
  "graphene-2019": "Graphene at the base revision (2019)",
  pr347: "Graphene with pull request 347",
  pr1218: "Graphene with pull request 1218",
  gramine: "Gramine today",
} as const;

/** As --format json has it, one object an entry. */
export const entryJson = (entry: Entry): Record<string, unknown> => ({
  id: entry.id,
  title: entry.title,
  severity: entry.severity,
  layers: entry.layers,
  generations: entry.generations,
  rule: "invalid" in entry,
  fix: entry.fix,
  source: entry.source,
});

/** The whole catalogue as one document in Markdown: contents by generation, layer and severity, then the pages. */
export function catalogueMarkdown(entries: readonly Entry[]): string {
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  const rules = entries.filter((entry) => "invalid" in entry).length;
  const lines = [
    "# The catalogue of signal-handling bugs",
    "",
    `${count(rules, "rule")} and ${count(entries.length - rules, "page")} without a rule. Each rule's examples are its tests.`,
    "",
  ];
  for (const generation of GENERATIONS) {
    const own = entries.filter((entry) => entry.generations[0] === generation);
    if (own.length === 0) continue;
    lines.push(`## ${HEADINGS[generation]}`, "", "| entry | severity | layers | what |", "| --- | --- | --- | --- |");
    for (const { id, severity, layers, title } of own)
      lines.push(`| [${id}](#${id}) | ${severity} | ${layers.join(", ")} | ${cell(title)} |`);
    lines.push("");
  }
  for (const layer of LAYERS) {
    const own = entries.filter((entry) => entry.layers.includes(layer));
    if (own.length > 0) lines.push(`In the layer ${layer}: ${own.map(({ id }) => `[${id}](#${id})`).join(", ")}.`, "");
  }
  for (const entry of entries) lines.push(...page(entry));
  return `${lines.join("\n").trimEnd()}\n`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function page(entry: Entry): string[] {
  const { id, title, severity, layers, generations, source } = entry;
  const facts = `*Severity ${severity}; layers ${layers.join(", ")}; generations ${generations.join(", ")}; ${source}.*`;
  const parts = sectionsOf(entry).flatMap(([heading, paragraphs]) => [`### ${heading}`, "", ...paragraphs.flatMap((one) => [one, ""])]);
  const example = "invalid" in entry ? exampleText(entry) : null;
  const fenced = (language: string, text: string): string[] => [`\`\`\`${language}`, text.trimEnd(), "```", ""];
  return [
    `## ${id}`,
    "",
    `${title}.`,
    "",
    facts,
    "",
    ...parts,
    ...("invalid" in entry ? ["### See it", "", ...fenced("sh", seeIt(entry).join("\n"))] : []),
    ...(example === null ? [] : ["### Example", "", ...fenced("yaml", example)]),
  ];
}
