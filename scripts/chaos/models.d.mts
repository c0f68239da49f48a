import type { PlannedModel } from "./plan.mjs";

export declare const MODELS: Readonly<Record<string, PlannedModel>>;
