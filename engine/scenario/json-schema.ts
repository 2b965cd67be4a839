/** The form of a scenario as a JSON Schema, for editors: made from the zod schema, with the meaning of each field. */

import * as z from "zod";
import { OPERATION_NAMES, OPERATIONS, type OperationName, scenarioSchema } from "./schema.ts";
import { alternatives, DEFINITIONS, inWords, type JsonSchema, ref } from "./values.ts";
import { absent, fieldOf, fieldsOf, said } from "./words.ts";

/** Draft 7 is what editors know. */
const DRAFT = { target: "draft-7", io: "input", unrepresentable: "any", reused: "inline" } as const;

/** A scenario's JSON Schema (draft 7). What it refuses is a mistake; names that lead nowhere it cannot see. */
export function scenarioJsonSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "eintr scenario",
    description: "A case for eintr record. The same in words: eintr schema --scenario.",
    ...jsonOf(scenarioSchema),
    definitions: {
      ...DEFINITIONS,
      operations: { type: "array", maxItems: 1_000_000, items: ref("operation") },
      operation: {
        anyOf: [
          { enum: OPERATION_NAMES.filter((name) => needed(name).length === 0) },
          {
            type: "object",
            minProperties: 1,
            maxProperties: 1,
            additionalProperties: false,
            properties: Object.fromEntries(OPERATION_NAMES.map((name) => [name, operationJson(name)])),
          },
        ],
      },
    },
  };
}

/** Arguments that must be given. */
const needed = (name: OperationName): string[] =>
  fieldsOf(OPERATIONS[name].args).flatMap(([field, schema]) => (absent(schema) === null ? [field] : []));

function operationJson(name: OperationName): JsonSchema {
  const { args, manual } = OPERATIONS[name];
  const short = manual.short === undefined ? undefined : fieldOf(args, manual.short);
  const forms = [jsonOf(args), ...(short === undefined ? [] : [jsonOf(short)]), ...(needed(name).length === 0 ? [{ type: "null" }] : [])];
  return { description: `${manual.does}. Example: ${manual.example}`, ...(forms.length === 1 ? forms[0] : { anyOf: forms }) };
}

const oneForm = (form: string | readonly string[]): JsonSchema =>
  typeof form === "string" ? { required: [form] } : { anyOf: form.map((field) => ({ required: [field] })) };

/** zod's own, but where `inWords` has one for a value that is more than its type says. */
function jsonOf(schema: z.core.$ZodType): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    ...DRAFT,
    override: ({ zodSchema, jsonSchema }) => {
      const fields = alternatives.get(zodSchema)?.fields;
      if (fields !== undefined) Object.assign(jsonSchema, { oneOf: fields.map(oneForm) });
      const own = said(inWords, zodSchema)?.json;
      if (own === undefined) return;
      const { description, default: fallback } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      // Beside a $ref draft 7 reads nothing.
      Object.assign(jsonSchema, "$ref" in own ? { allOf: [own] } : own);
      if (description !== undefined) jsonSchema.description = description;
      if (fallback !== undefined) jsonSchema.default = fallback;
    },
  });
  return json;
}
