/** The documents that `eintr export` writes beside the recorder's exporters. To add one: a file beside this one, and its place in the list. */

import type { Document } from "./document.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { markdown } from "./markdown.ts";
import { mermaid, svg } from "./pictures.ts";

export type { Document, Told } from "./document.ts";

export const DOCUMENTS: readonly Document[] = [markdown, mermaid, svg, json, junit];
