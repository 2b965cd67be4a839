/** One finding, or the first difference, as a picture. */

import { InputError } from "../io.ts";
import { type PictureForm, picture } from "../showing.ts";
import { type Stretch, stretchOfDifference, stretchOfFinding } from "../stretch.ts";
import type { Document, Told } from "./document.ts";

const MOST_ROWS = 500;
const WIDTH = 110;

const pictureDocument = (form: PictureForm, extension: string, about: string): Document => ({
  id: form,
  extension,
  text: about,
  ofOneFinding: true,
  async write({ io, trace, data, finding }) {
    const drawing = { ...stretchOf({ io, trace, data, finding }), width: WIDTH, most: MOST_ROWS, all: false, ascii: false };
    const { text, leftOut } = await picture(io, trace, drawing, form);
    io.talk(leftOut);
    return text;
  },
});

export const mermaid = pictureDocument("mermaid", ".mmd", "a finding as a Mermaid sequence diagram");
export const svg = pictureDocument("svg", ".svg", "a finding as a picture of its two columns");

function stretchOf({ trace, data, finding }: Told): Stretch {
  const id = finding ?? data.findings[0]?.id;
  if (id !== undefined) return stretchOfFinding(trace, id);
  const seq = data.differences.find((one) => one.cause)?.seq;
  const stretch = seq === undefined || seq === null ? null : stretchOfDifference(trace, seq);
  if (stretch !== null) return stretch;
  throw new InputError(`${trace.dir}: there is neither a finding nor a difference to draw; eintr show draws any other stretch`);
}
