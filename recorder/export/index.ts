/** The exporters. To add one: a file beside this one, and its place in the list. */

import { arrow } from "./arrow.ts";
import { chrome } from "./chrome.ts";
import type { Exporter } from "./exporter.ts";
import { parquet } from "./parquet.ts";
import { perfetto } from "./perfetto.ts";
import { csv, jsonl } from "./rows.ts";

export type { Exporter, ExportSink } from "./exporter.ts";
export { type NamedRow, namedRows } from "./named-rows.ts";

const exporters: Exporter[] = [csv, jsonl, arrow, parquet, perfetto, chrome];

export const EXPORTERS: readonly Exporter[] = exporters;

/** Adds an exporter for as long as the process lives; tests use it for their own. */
export function addExporter(exporter: Exporter): void {
  if (exporters.some(({ id }) => id === exporter.id)) throw new Error(`an exporter of the name "${exporter.id}" exists`);
  exporters.push(exporter);
}
