/** Draws an interval of a trace. Used by `show` and `demo`. */

import { shownBy, type Transition } from "../engine/index.ts";
import type { Trace } from "../recorder/index.ts";
import { rowsOfThread } from "./interval.ts";
import type { Io } from "./io.ts";
import { chooseRows } from "./present/interval.ts";
import { safe } from "./present/safe.ts";
import { paint } from "./present/style.ts";
import { hasEnclave, twoColumn } from "./present/two-column.ts";

export interface Drawing {
  readonly thread: number;
  readonly from: number;
  readonly to: number;
  readonly marks: ReadonlyMap<number, string>;
  readonly width: number;
  /** At most so many transitions. */
  readonly most: number;
  readonly all: boolean;
  readonly ascii: boolean;
}

export async function draw(io: Io, trace: Trace, drawing: Drawing): Promise<void> {
  const { thread, from, to, marks, width, most, all, ascii } = drawing;
  const { rows, depthBefore, cut } = await rowsOfThread(io, trace, thread, from, to, most);
  const name = safe(trace.threads[thread]?.name ?? String(thread), 40);
  const last = rows[rows.length - 1]?.seq ?? from;
  await io.out(`${safe(trace.info.stack)}  ${safe(trace.info.scenario, 60)}  thread ${name}  seq ${rows[0]?.seq ?? from} to ${last}\n\n`);
  const shown = chooseRows(rows, { all, depthBefore, marked: new Set(marks.keys()) });
  const { sites, transitions, info } = trace;
  const { name: eventName } = shownBy(info.stack).events;
  const options = { sites, eventName, width, paint: paint(io.color), ascii, sgx: hasEnclave(sites), lastSeq: transitions.rows - 1, marks };
  for (const line of twoColumn(shown, options)) await io.out(`${line}\n`);
  if (cut) io.talk(moreFollow(rows, most));
  if (!all && shown.length < rows.length)
    io.talk(`(${rows.length - shown.length} of ${rows.length} transitions are folded or left out: --all shows them)\n`);
}

/** Said where rows were left out. */
export const moreFollow = (rows: readonly Transition[], most: number): string =>
  `(more follow: --rows ${most} was the limit; go on with --from ${(rows.at(-1)?.seq ?? 0) + 1})\n`;
