/** Graphene's and Gramine's own logs (debug_type = inline, log_level = trace), of all eras, as what happened. */

import { ImportError, type Importer, SNIFF_BYTES } from "../importer.ts";
import { type ImportedRow, sourceOfRows } from "../rows.ts";
import { formOf } from "../text/form.ts";
import { createTextReader } from "../text/reader.ts";
import { parseGramine } from "./line.ts";
import { GramineReader } from "./reader.ts";

const knows = (line: string): boolean => parseGramine(line) !== null;

/** What only such a log says; a prefix in brackets is common. */
const OWN =
  /(?:---- (?:shim_)?\w+\(|---- return from |signal_logs\[|shim loaded|LibOS loaded|Gramine was built|Graphene|libos_\w+\.c:|shim_\w+\.c:)/;

export const gramine: Importer = {
  id: "gramine",
  text: "a log of Gramine or Graphene (log_level = trace)",
  clock: "monotonic",
  mostBytes: Number.POSITIVE_INFINITY,
  knows,
  sniff(start) {
    const { first } = formOf(start, start.length < SNIFF_BYTES, knows);
    const written = first.filter((line) => line.trim() !== "");
    return first.some((line) => knows(line) && OWN.test(line)) && 2 * written.filter(knows).length > written.length;
  },
  async read(chunks, name) {
    const reader = new GramineReader();
    async function* batches(): AsyncGenerator<ImportedRow[], void> {
      const text = createTextReader(knows);
      for await (const chunk of chunks) {
        for (const line of text.add(chunk)) reader.line(line);
        yield reader.happened.take();
      }
      const { lines, cut } = text.finish();
      for (const line of lines) reader.line(line);
      if (cut !== "") reader.line(cut);
      const hasCalls = reader.finish();
      yield reader.happened.take();
      if (!hasCalls)
        throw new ImportError(
          `${name}: no system call in this log of Gramine or Graphene; run it again with loader.log_level = "trace" (Graphene: loader.debug_type = inline, built with DEBUG=1)`,
        );
    }
    return {
      is: "transitions",
      source: sourceOfRows(reader.happened, ["depth"], batches()),
      counters: () => reader.tally.counters(),
    };
  },
};
