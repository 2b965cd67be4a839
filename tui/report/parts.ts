/** Script and style of the page, as the build made them (`esbuild.config.mjs`). */

import { readFileSync } from "node:fs";
import path from "node:path";
import { InputError } from "../io.ts";
import { packageRoot } from "../package-root.ts";
import type { PageParts } from "./html.ts";
import { paletteCss } from "./palette-css.ts";

/** Throws InputError when they are not there. */
export function pageParts(): PageParts {
  const read = (name: string): string => {
    const file = path.join(packageRoot(), "dist", name);
    try {
      // A script with this in it would end its element.
      return readFileSync(file, "utf8").replaceAll("</script", "<\\/script");
    } catch {
      throw new InputError(`${file} is missing: the page of reports is not built. In a checkout run: npm run build`);
    }
  };
  return { script: read("report.js"), style: paletteCss() + read("report-style.css") };
}
