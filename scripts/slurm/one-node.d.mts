export function whyNoSlurm(): string | null;
export function install(): void;
export function up(
  folder: string,
  options?: { readonly cpus?: number; readonly settings?: Readonly<Record<string, string | number>> },
): Promise<{ readonly SLURM_CONF: string }>;
export function down(folder: string): Promise<void>;
export function processesOf(conf: string): number[];
