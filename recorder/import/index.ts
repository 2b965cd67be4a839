/** The importers, in the order in which they are tried. To add one: a folder or file beside this one, and its line in the list. */

import { ftrace, gvisor, perf } from "./events/index.ts";
import { gramine } from "./gramine/index.ts";
import type { Importer } from "./importer.ts";
import { whatElse } from "./others.ts";
import { sgxPerf } from "./sgx-perf/index.ts";
import { strace } from "./strace/index.ts";

export { ImportError, type Imported, type ImportedScenario, type ImportedTransitions, type Importer, SNIFF_BYTES } from "./importer.ts";
export { createLineSplitter } from "./lines.ts";
export { type ImportedRow, sourceOfRows } from "./rows.ts";
export { mergedLog, type ThreadFile, threadFiles } from "./strace/index.ts";
export { packingOf, unpacked } from "./unpack.ts";

const importers: Importer[] = [strace, gramine, perf, ftrace, gvisor, sgxPerf];

export const IMPORTERS: readonly Importer[] = importers;

/** The importer whose file begins so, if there is one. */
export const importerFor = (start: Uint8Array): Importer | undefined => importers.find((importer) => importer.sniff(start));

/** Words on a file that no importer reads; null when it may be a scenario. */
export const whatIs = (start: Uint8Array): string | null => whatElse(start, importers);

/** Adds an importer for as long as the process lives; tests use it for their own. */
export function addImporter(importer: Importer): void {
  if (importers.some(({ id }) => id === importer.id)) throw new Error(`an importer of the name "${importer.id}" exists`);
  importers.push(importer);
}
