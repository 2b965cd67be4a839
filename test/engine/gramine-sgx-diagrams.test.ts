/**
 * Goldens of the flows of Gramine's SGX PAL: the recorded flow, step by step, and the steps of the specification in its order. After a wanted
 * change: EINTR_UPDATE=1 npx vitest run test/engine/gramine-sgx-diagrams.test.ts, and read the diff of test/golden/gramine.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isAt, type Line, listing } from "../support/flow-listing.ts";
import { onSgx } from "../support/gramine-sgx.ts";
import { SPEC_DIAGRAMS, type SpecDiagram } from "./diagrams/gramine-sgx.ts";

const FOLDER = path.resolve(import.meta.dirname, "../golden/gramine");
const UPDATE = process.env.EINTR_UPDATE === "1";
const fileOf = (name: string): string => path.join(FOLDER, `${name}.flow`);

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

const golden = (diagram: SpecDiagram, lines: readonly Line[]): string =>
  [
    `SPECIFICATION: gramine-today.md ${diagram.sections}`,
    `RUN: a scenario of test/engine/diagrams/gramine-sgx.ts on gramine-sgx${diagram.options.map((name) => `, ${name}`).join("")}`,
    "",
    "SPECIFICATION ORDER: (line of the listing, what it says)",
    ...orderOf(diagram, lines).map(([says, at]) => `${number(at)}  ${says}`),
    "",
    "LISTING: layer, context (N normal, S signal), CSSA, preempt, pending, call depth, flow: label [kind, signal, arguments]",
    ...lines.map(({ text }, i) => `${number(i)}  ${text}`.trimEnd()),
    "",
  ].join("\n");

describe.each(SPEC_DIAGRAMS.map((diagram) => [diagram.name, diagram] as const))("%s", (name, diagram) => {
  const lines = listing(onSgx(diagram.program, diagram.options), diagram.interval);

  it("is recorded as in its golden file", () => {
    const text = golden(diagram, lines);
    if (UPDATE) writeFileSync(fileOf(name), text);
    expect(existsSync(fileOf(name)), `${name}.flow is missing: see the head of this file`).toBe(true);
    expect(text).toBe(readFileSync(fileOf(name), "utf8"));
  });

  it("has the specification's steps in its order", () => {
    expect(orderOf(diagram, lines).filter(([, at]) => at < 0)).toEqual([]);
  });
});

describe("test/golden/gramine", () => {
  it("has a file for each of these diagrams", () => {
    const files = readdirSync(FOLDER).filter((name) => name.startsWith("sgx-"));
    expect(files.sort()).toEqual(SPEC_DIAGRAMS.map(({ name }) => `${name}.flow`).sort());
  });
});
