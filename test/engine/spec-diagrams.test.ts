/**
 * Goldens of the flows of today's Gramine and of pull requests 347 and 1218: the recorded flow, step by step, and the steps of the specification in its
 * order. After a wanted change: EINTR_UPDATE=1 npx vitest run test/engine/spec-diagrams.test.ts, and read the diff of test/golden.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isAt, type Line, listing } from "../support/flow-listing.ts";
import { runGramine } from "../support/gramine-sgx.ts";
import { GRAMINE_LINUX_DIAGRAMS } from "./diagrams/gramine-linux.ts";
import { GRAMINE_SGX_DIAGRAMS } from "./diagrams/gramine-sgx.ts";
import { PR347_DIAGRAMS } from "./diagrams/pr347.ts";
import { PR1218_DIAGRAMS } from "./diagrams/pr1218.ts";
import type { SpecDiagram, SpecDiagrams } from "./diagrams/spec.ts";

const GOLDEN = path.resolve(import.meta.dirname, "../golden");
const UPDATE = process.env.EINTR_UPDATE === "1";
const STACKS: readonly SpecDiagrams[] = [GRAMINE_LINUX_DIAGRAMS, GRAMINE_SGX_DIAGRAMS, PR347_DIAGRAMS, PR1218_DIAGRAMS];
const NAMES = { linux: "gramine-linux", sgx: "gramine-sgx", pr347: "graphene-pr347", pr1218: "graphene-pr1218" } as const;

/** [words of the specification, index of the line]; -1 when one is not there in order. */
function orderOf({ order }: SpecDiagram, lines: readonly Line[]): [says: string, line: number][] {
  let at = 0;
  return order.map(([says, place]): [string, number] => {
    const found = lines.findIndex(({ row }, i) => i >= at && row !== null && isAt(row, place));
    at = found < 0 ? lines.length : found + 1;
    return [says, found];
  });
}

const number = (index: number): string => (index < 0 ? "none" : String(index + 1)).padStart(4);

const golden = (of: SpecDiagrams, diagram: SpecDiagram, lines: readonly Line[]): string =>
  [
    `SPECIFICATION: ${of.specification} ${diagram.sections}`,
    `RUN: a scenario of test/engine/diagrams/${of.file} on ${NAMES[of.stack]}${diagram.options.map((name) => `, ${name}`).join("")}`,
    "",
    "SPECIFICATION ORDER: (line of the listing, what it says)",
    ...orderOf(diagram, lines).map(([says, at]) => `${number(at)}  ${says}`),
    "",
    "LISTING: layer, context (N normal, S signal), CSSA, preempt, pending, call depth, flow: label [kind, signal, arguments]",
    ...lines.map(({ text }, i) => `${number(i)}  ${text}`.trimEnd()),
    "",
  ].join("\n");

const ALL = STACKS.flatMap((of) =>
  of.diagrams.map((diagram): [string, SpecDiagrams, SpecDiagram] => [`${of.folder}/${diagram.name}`, of, diagram]),
);

describe.each(ALL)("%s", (name, of, diagram) => {
  const lines = listing(runGramine(of.stack, diagram.program, diagram.options), diagram.interval);
  const file = path.join(GOLDEN, `${name}.flow`);

  it("is recorded as in its golden file", () => {
    const text = golden(of, diagram, lines);
    if (UPDATE) writeFileSync(file, text);
    expect(existsSync(file), `${name}.flow is missing: see the head of this file`).toBe(true);
    expect(text).toBe(readFileSync(file, "utf8"));
  });

  it("has the specification's steps in its order", () => {
    expect(orderOf(diagram, lines).filter(([, at]) => at < 0)).toEqual([]);
  });
});

describe("test/golden", () => {
  it.each(["gramine", "pr347", "pr1218"])("%s has a file for each of these diagrams, and no other", (folder) => {
    const names = ALL.flatMap(([name]) => (name.startsWith(`${folder}/`) ? [`${name.slice(folder.length + 1)}.flow`] : []));
    expect(readdirSync(path.join(GOLDEN, folder)).sort()).toEqual(names.sort());
  });
});
