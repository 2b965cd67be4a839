/** The state of a machine that runs a stack of Graphene, with the part that this generation keeps. */

import type { Process as GrapheneProcess, Thread as GrapheneThread } from "../../engine/generations/graphene-2019/state.ts";
import type { Machine } from "../../engine/index.ts";

type GrapheneMachine = Machine<GrapheneThread, GrapheneProcess>;

export const grapheneThread = ({ threads }: Machine, id = 0): GrapheneThread | null => (threads as GrapheneMachine["threads"])[id] ?? null;

export const grapheneProcess = ({ processes }: Machine, id = 0): GrapheneProcess | null =>
  (processes as GrapheneMachine["processes"])[id] ?? null;
