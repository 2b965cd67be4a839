import { expect, test } from "vitest";
import { boot } from "../../engine/machine.ts";
import { parseScenario } from "../../engine/scenario/parse.ts";

const pinned = (site: string): string => `
name: pinned
title: a signal pinned to a place of the untrusted PAL
main:
  - sigaction: { signal: SIGINT, handler: h }
  - nanosleep: 1ms
handlers: { h: [getpid] }
signals:
  - { signal: SIGINT, when: { thread: main, site: "${site}" } }
`;
const start = (site: string) => boot({ stack: "graphene-sgx", scenario: parseScenario(pinned(site), "test.yaml") });

test("a place under the former name of its flow is found under today's", () => {
  const pins = (site: string) => [...(start(site).cpu.pins.sites?.keys() ?? [])];
  expect(pins("ocall_nanosleep: take the arguments")).toEqual(pins("ocall_sleep: take the arguments"));
});

test("a place that no version had is told", () => {
  expect(() => start("ocall_nanosleep: take nothing")).toThrow(/no place "ocall_nanosleep: take nothing"/);
});
