import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { replayFolder } from "../journal/replay.js";
import { readResults } from "../runs/finished-run.js";
import { MANIFEST_FILE } from "../runs/outcome.js";
import type { Manifest } from "../runs/manifest.js";
import { trainsAs } from "./equal-training.js";
import type { PlannedRun } from "./plan.js";
import { runFolderOf } from "./sweep-folder.js";

/** What a worker on this machine would be: two runs are one only on the same software and processor. */
export interface Here {
  readonly thawline: string;
  /** Null where Python could not tell: then nothing is taken. */
  readonly software: () => Promise<Readonly<Record<string, string>> | null>;
}

interface SourceFacts {
  readonly k: number | null;
  readonly manifest: Manifest;
}

/** Finished runs of a sweep whose results may be another planned run's as well. What is known of one does not change. */
export class SourceRuns {
  private readonly facts = new Map<string, SourceFacts | null>();

  constructor(
    private readonly folder: string,
    private readonly here: Here,
  ) {}

  /** A finished run that trained as `run` would on this machine; null where there is none. */
  async of(run: PlannedRun, finished: readonly PlannedRun[]): Promise<PlannedRun | null> {
    for (const source of finished.filter(({ seed }) => seed === run.seed)) {
      const facts = await this.factsOf(source);
      if (facts !== null && trainsAs(run, source, facts.k) && (await this.isOfHere(facts.manifest))) return source;
    }
    return null;
  }

  private async factsOf({ id }: PlannedRun): Promise<SourceFacts | null> {
    const known = this.facts.get(id);
    if (known !== undefined) return known;
    const found = await readFacts(runFolderOf(this.folder, id));
    this.facts.set(id, found);
    return found;
  }

  private async isOfHere({ thawline, software, host, device }: Manifest): Promise<boolean> {
    // Two GPUs of one name need not be one; this host's are.
    if (device !== "cpu" && host !== hostname()) return false;
    const here = await this.here.software();
    if (thawline !== this.here.thawline || software === null || here === null) return false;
    return Object.entries(software).every(([name, version]) => here[name] === version);
  }
}

/** Null for a run that is nobody's source: an operator touched it, or it was promised to nobody that it can be repeated. */
async function readFacts(runFolder: string): Promise<SourceFacts | null> {
  try {
    const results = readResults(runFolder);
    if (results?.outcome !== "finished" || !results.bit_identical.promised) return null;
    const { state } = await replayFolder(runFolder);
    if (state.operator.ids.length > 0 || state.weights.sha256 !== results.weights_sha256) return null;
    const manifest = JSON.parse(readFileSync(join(runFolder, MANIFEST_FILE), "utf8")) as Manifest;
    return { k: state.interval?.k ?? null, manifest };
  } catch {
    // Whoever cannot be read is no source; that it cannot is said by those who show it.
    return null;
  }
}
