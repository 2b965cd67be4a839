/** Columns of a thread's state: each is written in every row, and what it cannot hold ends the run. */

import { expect, it } from "vitest";
import { addStack, type Block, boot, COLUMNS, STACKS, STATE_COLUMNS, type StackColumns, type StateColumn } from "../../engine/index.ts";
import { builtIn } from "../support/run-scenario.ts";

const scenario = builtIn("nested");

/** Those that a stack reads off its threads; the machine itself knows the depth. */
type Read = Exclude<StateColumn, "depth">;
const READ = STATE_COLUMNS.filter((name): name is Read => name !== "depth");

/** A run on a stack whose every column reads that number. */
const reading = (stack: string, number: (column: Read) => number) => {
  const columns = Object.fromEntries(READ.map((name) => [name, () => number(name)])) as unknown as StackColumns;
  return boot({ scenario, stack: addStack(stack, { ...STACKS["native-linux"], columns }) });
};

it.each(READ)("%s is written in every row", (name) => {
  const wrong: number[] = [];
  const put = (block: Block): void => {
    for (let i = 0; i < block.n; i += 1) if (block[name][i] !== READ.indexOf(name) + 1) wrong.push(block.seq0 + i);
  };
  const run = reading(`reads-${name}`, (column) => READ.indexOf(column) + 1);
  run.run(1000, { put });
  run.flush({ put });
  expect(run.machine.seq).toBeGreaterThan(10);
  expect(wrong).toEqual([]);
});

it.each(READ)("more than %s holds ends the run in words", (name) => {
  const { name: type, BYTES_PER_ELEMENT: bytes } = COLUMNS[name];
  const most = 2 ** (8 * bytes - (type.startsWith("Int") ? 1 : 0)) - 1;
  expect(() => reading(`at-most-${name}`, (column) => (column === name ? most : 0)).run(1000, { put() {} })).not.toThrow();
  expect(() => reading(`beyond-${name}`, (column) => (column === name ? most + 1 : 0)).run(1000, { put() {} })).toThrow(
    new RegExp(`^seq 0: thread main is .*${most + 1}.*; at most ${most} are emulated. End the run before that`),
  );
});
