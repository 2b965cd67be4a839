/**
 * Stands in for string-width, see esbuild.config.mjs: Ink measures as `present/safe.ts` does. The original asks several tables of
 * Unicode about every box-drawing character.
 */

import { displayWidth } from "../present/safe.ts";
import { SGR } from "../present/style.ts";

export default function stringWidth(text: string): number {
  return displayWidth(text.replace(SGR, ""));
}
