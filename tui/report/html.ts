/**
 * The one file of a report. Script and style are ours and named by their hashes in the policy; the data is a block of JSON that the
 * browser does not run. So nothing in it is fetched, and nothing of a trace is HTML, script or style, whatever its texts are.
 */

import { createHash } from "node:crypto";
import { escaped } from "../present/markup.ts";
import type { ReportData } from "./data.ts";

export interface PageParts {
  readonly script: string;
  readonly style: string;
}

export function reportHtml(data: ReportData, { script, style }: PageParts): string {
  const title = escaped(`eintr: ${data.run.scenario} on ${data.run.stack}`);
  const said = data.verdict.map((line) => `<p>${escaped(line)}</p>`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>${said}<p>The rest of this report is drawn by its own script, which your browser does not run.</p></noscript>
<script type="application/json" id="eintr-data">${inertJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Nothing is loaded from anywhere, no form goes anywhere, and the script may make no HTML of texts. */
const policy = (script: string, style: string): string =>
  [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

const hashOf = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;

/** JSON that cannot end the element it stands in, nor begin a comment there. */
const inertJson = (data: ReportData): string => JSON.stringify(data).replaceAll("<", "\\u003c");
