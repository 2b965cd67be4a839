/** An exporter of the tests' own: how often each kind happened, in the order of their first. */

import { kindName } from "../../engine/index.ts";
import { addExporter, type Exporter } from "../../recorder/index.ts";

export const toyExporter: Exporter = {
  id: "toy",
  extension: ".txt",
  text: "counts of kinds",
  binary: false,
  async write(trace, sink) {
    const counts = new Map<number, number>();
    for (const { kind, n } of trace.rows()) for (const id of kind.subarray(0, n)) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) await sink(`${kindName(id)} ${count}\n`);
  },
};

/** The one line that makes it known. */
addExporter(toyExporter);
