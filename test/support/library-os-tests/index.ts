/**
 * The tests that Graphene and Gramine have of signals themselves (reference 5.1; Gramine's libos/test/regression, test_libos.py), as scenarios
 * of the same calls in the same order, with shorter sleeps. What does not change what a stack does (printing, checks) is left out.
 */

import { GRAPHENE_TESTS } from "./graphene.ts";
import { MASK_TESTS } from "./masks.ts";
import { SENDING_TESTS } from "./sending.ts";
import type { LibraryOsTest } from "./words.ts";

export { type LibraryOsTest, STACK_COLUMNS } from "./words.ts";

export const LIBRARY_OS_TESTS: readonly LibraryOsTest[] = [...GRAPHENE_TESTS, ...MASK_TESTS, ...SENDING_TESTS];
