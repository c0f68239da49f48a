export interface Moment {
  readonly at: "failpoint" | "start" | "update";
  readonly by?: "controller" | "worker";
  readonly name?: string;
  readonly passage?: number;
  readonly share?: number;
  readonly update?: number;
  readonly milliseconds?: number;
}

export interface Hit {
  readonly action: "kill" | "stop";
  readonly victims: readonly string[];
  readonly when: Moment;
  readonly seconds?: number;
}

export interface Plan {
  readonly index: number;
  readonly model: string;
  readonly hits: readonly Hit[];
}

export interface PlannedModel {
  readonly share: number;
  readonly updates: number;
  readonly passages: Readonly<Record<string, number>>;
}

export declare function planRun(
  seed: number,
  index: number,
  models: Readonly<Record<string, PlannedModel>>,
  killsLeft?: number,
): Plan;
export declare function describeHit(hit: Hit): string;
