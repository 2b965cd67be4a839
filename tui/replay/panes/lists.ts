/** Panes that are lists: the signal's road, findings, the flow, SQL, the help. */

import { displayWidth, fit, safe } from "../../present/safe.ts";
import { durationText } from "../../present/time.ts";
import { wrapCells } from "../../present/two-column.ts";
import type { ReplayState } from "../state.ts";
import type { World } from "../world.ts";

export function signalPane(world: World, s: ReplayState, width: number): string[] {
  const { paint } = world;
  if (s.signal === null) return [paint.dim(safe("no signal is followed: stand on a row of one, or near, and press f", width))];
  if (s.road === null) return [paint.dim(safe(`signal ${s.signal}: looking up its road`, width))];
  const { name, id, outcome, hops } = s.road;
  let previous: number | null = null;
  const lines = hops.map((hop) => {
    const row = world.rows.at(hop.seq);
    const time = row?.time ?? 0;
    const delay = previous === null ? "" : `+${durationText(time - previous)}`;
    previous = time;
    const site = row === null ? undefined : world.trace.sites[row.site];
    const thread = row === null ? "" : (world.trace.threads[row.thread]?.name ?? "");
    const text = safe(
      `${hop.seq <= s.seq ? "x" : " "} ${String(hop.seq).padStart(7)}  ${hop.name.padEnd(9)} ${delay.padStart(10)}  ${thread}  ${site?.flow}: ${site?.label}`,
      width,
    );
    return hop.seq === s.seq ? paint.here(text) : hop.seq > s.seq ? paint.dim(text) : text;
  });
  return [
    paint.strong(safe(`${name}, signal ${id}: ${outcome}`, width)),
    ...lines,
    paint.dim(safe("] [ next and last hop   f leaves it", width)),
  ];
}

export function findingsPane(world: World, s: ReplayState, width: number, height: number): string[] {
  const { paint, findings } = world;
  if (findings.length === 0) return [paint.dim(safe("no findings (eintr analyze tells for sure)", width))];
  const selected = s.finding === null ? undefined : findings[s.finding];
  const story = selected === undefined ? [] : storyLines(world, s, selected.evidence, width);
  const room = Math.max(1, Math.min(findings.length, height - story.length - 1));
  const from = Math.max(0, Math.min((s.finding ?? 0) - Math.floor(room / 2), findings.length - room));
  const list = findings.slice(from, from + room).map((finding, i) => {
    const text = safe(
      `${from + i === s.finding ? ">" : " "} ${String(finding.firstSeq).padStart(7)}  ${finding.severity.padEnd(8)} ${finding.title}`,
      width,
    );
    return from + i === s.finding ? paint.here(text) : text;
  });
  return [...list, ...story, paint.dim(safe("} { next and last finding   Enter next evidence   F plays the story", width))];
}

function storyLines(world: World, s: ReplayState, evidence: readonly { seq: number; caption: string }[], width: number): string[] {
  return evidence.flatMap(({ seq, caption }, i) => {
    const lines = wrapCells(safe(caption), width - 14).map((line, part) =>
      part === 0 ? `   ${String(seq).padStart(8)}  ${line}` : `${" ".repeat(13)}${line}`,
    );
    return lines.map((line) => (i === s.evidence && seq === s.seq ? world.paint.warn(line) : line));
  });
}

export function flowPane(world: World, s: ReplayState, width: number, height: number): string[] {
  const row = world.rows.at(s.seq);
  const here = row === null ? undefined : world.trace.sites[row.site];
  if (here === undefined) return [];
  const steps = world.trace.sites.filter((site) => site.flow === here.flow && site.context === "normal").sort((a, b) => a.step - b.step);
  const at = steps.findIndex((site) => site.step === here.step);
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), steps.length - height + 1));
  const source = here.source === "" ? "" : `, reference ${here.source}`;
  return [
    world.paint.strong(safe(`${here.flow}  (${here.layer}${source})`, width)),
    ...steps.slice(from, from + height - 1).map((site) => {
      const text = safe(`${site.step === here.step ? ">" : " "} ${String(site.step + 1).padStart(3)}  ${site.label}`, width);
      return site.step === here.step ? world.paint.here(text) : text;
    }),
  ];
}

export function sqlPane(world: World, s: ReplayState, width: number, height: number): string[] {
  const { paint } = world;
  if (s.sql === null) return [paint.dim(safe("; writes a query, such as SELECT * FROM signals; Enter on a row jumps to its seq", width))];
  const { sql, columns, rows, truncated } = s.sql;
  const texts = rows.map((row) =>
    row.map((cell) => safe(cell instanceof Uint8Array ? `(${cell.length} bytes)` : cell === null ? "NULL" : String(cell), 40)),
  );
  const widths = columns.map((name, i) => Math.max(displayWidth(safe(name, 40)), ...texts.map((row) => displayWidth(row[i] ?? ""))));
  const line = (cells: readonly string[]): string => fit(cells.map((cell, i) => fit(cell, widths[i] ?? 0)).join("  "), width);
  const room = Math.max(1, height - 2);
  const from = Math.max(0, Math.min(s.sqlRow - Math.floor(room / 2), rows.length - room));
  return [
    paint.dim(safe(`${sql}  (${rows.length}${truncated ? "+" : ""} rows; , . move, Enter jumps, ; edits)`, width)),
    paint.strong(line(columns.map((name) => safe(name, 40)))),
    ...texts.slice(from, from + room).map((row, i) => (from + i === s.sqlRow ? paint.here(line(row)) : line(row))),
  ];
}
