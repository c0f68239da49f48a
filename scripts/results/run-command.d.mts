/** A run of a plan, as far as it is started by it. */
export interface PlannedRun {
  readonly config: string;
  readonly settings: readonly string[];
  readonly needsImages?: boolean;
  readonly needsGpu?: boolean;
  readonly needsXquad?: boolean;
}
export interface PlanOptions {
  readonly images?: string;
  readonly frost?: string;
  readonly xquad?: string;
  readonly gpu?: boolean;
}
export declare function whyLeftOut(run: PlannedRun, options: PlanOptions): string | null;
export declare function commandOf(run: PlannedRun, folder: string, options: PlanOptions, begun: boolean): string[];
