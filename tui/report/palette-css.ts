/** The palette as custom properties of a page: `--high`, `--pal`, `--cross`, ...; light, and dark where the user prefers that. */

import { SURFACES, TONES } from "../present/palette.ts";

export function paletteCss(): string {
  const rules = (scheme: "light" | "dark"): string => {
    const { background, text, faint, here } = SURFACES[scheme];
    const tones = Object.entries(TONES).map(([name, tone]) => `--${name}:${tone[scheme]}`);
    return `:root{${[`--back:${background}`, `--text:${text}`, `--dim:${faint}`, `--here:${here}`, ...tones].join(";")}}`;
  };
  return `${rules("light")}@media (prefers-color-scheme:dark){${rules("dark")}}`;
}
