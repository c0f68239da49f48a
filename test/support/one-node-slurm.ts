import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { down, processesOf, up, whyNoSlurm } from "../../scripts/slurm/one-node.mjs";

/** Why tests of a real Slurm are skipped here; null where they are not. */
export const NO_SLURM = whyNoSlurm();

/** For a title: tests that were skipped say why. */
export const withReason = (title: string): string => (NO_SLURM === null ? title : `${title} (skipped: ${NO_SLURM})`);

/** A real Slurm of this test file's own, which this process and what it starts use until it is closed. */
export class OneNodeSlurm {
  private constructor(
    private readonly folder: string,
    private readonly conf: string,
  ) {}

  static async open(settings: Readonly<Record<string, string | number>> = {}, cpus = 8): Promise<OneNodeSlurm> {
    const folder = join(mkdtempSync(join(tmpdir(), "thawline-slurm-")), "node");
    const { SLURM_CONF } = await up(folder, { cpus, settings });
    process.env["SLURM_CONF"] = SLURM_CONF;
    return new OneNodeSlurm(folder, SLURM_CONF);
  }

  async close(): Promise<void> {
    delete process.env["SLURM_CONF"];
    await down(this.folder);
  }

  /** Of jobs, and of what they have left behind; the daemons are among them. */
  processes(): number[] {
    return processesOf(this.conf);
  }

  /** What one of its programs prints. */
  ask(program: string, ...options: string[]): string {
    return execFileSync(program, options, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  }

  /** A requeued task waits for two minutes, until its credential has expired; this one does not. */
  async startAgain(task: string): Promise<void> {
    await until(() => this.ask("squeue", "-h", "-r", "-t", "PD", "-o", "%i").includes(task));
    this.ask("scontrol", "update", `JobId=${task}`, "StartTime=now");
  }
}

/** Looks until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100);
}
