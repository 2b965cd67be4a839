/** The examples of all rules: they stand in the rules' own files. */

import { RULES } from "../../analyzer/catalogue.ts";
import { describeRule } from "../support/rule-examples.ts";

for (const rule of RULES) describeRule(rule);
