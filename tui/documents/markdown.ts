/** The answers as Markdown, for an issue. What comes from the trace stands in code spans and blocks: no mark in it means anything. */

import { codeCell, codeSpan, fenced } from "../present/markup.ts";
import { durationText } from "../present/time.ts";
import type { ReportData, ReportDifference, ReportFinding, ReportNote } from "../report/data.ts";
import { picture } from "../showing.ts";
import { stretchOfFinding } from "../stretch.ts";
import type { Document, Told } from "./document.ts";

const MOST_FINDINGS = 20;
const MOST_DIFFERENCES = 50;
const MOST_ROWS = 300;
const WIDTH = 110;

export const markdown: Document = {
  id: "markdown",
  extension: ".md",
  text: "verdict, findings with their diagrams, differences, notes; for an issue",
  ofOneFinding: false,
  async write(told) {
    const { data } = told;
    const { scenario, stack, fixes, options, eintr, transitions, digest } = data.run;
    const parts = [
      `# ${codeSpan(scenario)} on ${codeSpan([stack, ...fixes, ...options].join(" + "))}\n`,
      fenced(data.verdict),
      ...(await findingParts(told)),
      ...differenceParts(data),
      ...noteParts(data),
      `Recorded by eintr ${codeSpan(eintr)}: ${transitions.toLocaleString("en")} transitions, digest ${codeSpan(digest)}.\n`,
      ...(data.cuts.length === 0 ? [] : [data.cuts.map((cut) => `- ${cut}\n`).join("")]),
    ];
    return parts.join("\n");
  },
};

async function findingParts(told: Told): Promise<string[]> {
  const { findings } = told.data;
  if (findings.length === 0) return ["The rules found nothing.\n"];
  const parts = [`## Findings (${findings.length})\n`];
  for (const finding of findings.slice(0, MOST_FINDINGS)) parts.push(await findingPart(told, finding));
  if (findings.length > MOST_FINDINGS) parts.push(`... and ${findings.length - MOST_FINDINGS} more.\n`);
  return parts;
}

async function findingPart({ io, trace }: Told, finding: ReportFinding): Promise<string> {
  const { id, severity, rule, title, thread, from, to, cost, fingerprint, alike, evidence } = finding;
  const drawing = { ...stretchOfFinding(trace, id), width: WIDTH, most: MOST_ROWS, all: false, ascii: false };
  const more = alike === 0 ? "" : `, and ${alike.toLocaleString("en")} more like it`;
  const { text } = await picture(io, trace, drawing, "markdown");
  return [
    `### ${codeSpan(severity)} ${codeSpan(title)}\n`,
    `${codeSpan(rule)}, seq ${from} to ${to}, thread ${codeSpan(thread)}, cost ${durationText(cost)}, fingerprint ${codeSpan(fingerprint)}${more}\n`,
    evidence.map(({ seq, caption }) => `- ${seq}: ${codeSpan(caption)}\n`).join(""),
    `<details><summary>diagram</summary>\n\n${text}\n</details>\n`,
  ].join("\n");
}

function differenceParts({ differences }: ReportData): string[] {
  if (differences.length === 0) return [];
  const shown = differences.slice(0, MOST_DIFFERENCES);
  const head = "| seq | thread | call or handler | here | on Linux |\n| --- | --- | --- | --- | --- |\n";
  const more = differences.length > shown.length ? `\n... and ${differences.length - shown.length} more: \`eintr diff\` lists all.\n` : "";
  return [`## Differences (${differences.length})\n`, `${head}${shown.map(row).join("")}${more}`];
}

const row = ({ seq, thread, what, line, here, there, cause }: ReportDifference): string => {
  const place = line === null ? codeCell(what) : `${codeCell(what)} (line ${line} of the log)`;
  return `| ${seq ?? "–"}${cause ? " **first**" : ""} | ${codeCell(thread)} | ${place} | ${codeCell(here)} | ${codeCell(there)} |\n`;
};

function noteParts({ notes }: ReportData): string[] {
  if (notes.length === 0) return [];
  const line = ({ seq, thread, place, note }: ReportNote): string =>
    `- ${seq}, thread ${codeSpan(thread)}, ${codeSpan(place)}${note === "" ? "" : `: ${codeSpan(note)}`}\n`;
  return [`## Notes (${notes.length})\n`, notes.map(line).join("")];
}
