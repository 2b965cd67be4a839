/** What a scenario says of its objects: the kind of each, and whether its calls wait. */

import * as z from "zod";
import { type Declared, OBJECT_KINDS } from "../object-kinds.ts";
import { inWords, MOST_NAME, NAME_WORDS } from "./values.ts";

const kind = z.enum(OBJECT_KINDS);
const KIND_WORDS = `one of ${OBJECT_KINDS.join(", ")}, or a map of kind and nonblock`;

const declared = z
  .union([
    kind.transform((one): Declared => ({ kind: one, nonblock: false })),
    z.strictObject({ kind: kind.default("pipe"), nonblock: z.boolean().default(false) }),
  ])
  .register(inWords, { words: KIND_WORDS });

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** As `programs` of a scenario: any name is a name, so the map has no prototype. */
export const objects = z
  .custom<Readonly<Record<string, unknown>>>(isMap, "no map")
  .transform((given, ctx): Record<string, Declared> => {
    const out = Object.create(null) as Record<string, Declared>;
    for (const name of Object.keys(given)) {
      if (name === "" || name.length > MOST_NAME)
        ctx.addIssue({ code: "custom", path: [name], message: `expected ${NAME_WORDS} before the colon` });
      const parsed = declared.safeParse(given[name]);
      if (parsed.success) out[name] = parsed.data;
      else ctx.addIssue({ code: "custom", path: [name], message: `expected ${KIND_WORDS}` });
    }
    return out;
  })
  .register(inWords, {
    words: "a map from names of objects to their kinds",
    json: {
      type: "object",
      propertyNames: { minLength: 1, maxLength: MOST_NAME },
      additionalProperties: {
        anyOf: [
          { enum: OBJECT_KINDS },
          {
            type: "object",
            additionalProperties: false,
            properties: { kind: { enum: OBJECT_KINDS }, nonblock: { type: "boolean" } },
          },
        ],
      },
    },
  });
