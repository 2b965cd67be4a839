/** The list of stacks, with the tests' own ones: a line each. */

import { addStack } from "../../engine/index.ts";
import { echo } from "./echo-stack/index.ts";

export const ECHO = addStack("echo", echo);
