// The small real runs that are killed: what starts each, and what stands ready for it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectPython, ROOT } from "../python.mjs";

/** The supervision gives up after so many restarts without a newer checkpoint: here dying is the rule. */
const PATIENT = ["supervision.max_restarts=1000", "supervision.restart_delay_seconds=0.05", "device.threads=1"];

/** What a script's run says where its process died while nothing could start it again: `resume` goes on. */
const SCRIPT_DIED =
  /the script was ended by SIGKILL before it called|finished, but then the script was ended by SIGKILL/;

/**
 * `share`: how often it is chosen. `updates`: how many it makes. `passages`: how often an undisturbed run passes a
 * failpoint, where that is more than once; 0 where it has no such place. `goesOn`: a failure after which the run is to
 * be resumed; none where it has to mend itself.
 */
export const MODELS = {
  /** ResNet-18 of width 2 on MNIST; k online, signals to the end, corrupted images. */
  vision: {
    share: 5,
    updates: 60,
    command: ({ runFolder }) => [
      ...["run", "quickstart", "--run-dir", runFolder, "--headless", ...PATIENT],
      ...["model.width=2", "data.verify_checksums=false", "data.max_train_examples=512", "data.max_test_examples=48"],
      ...["train.updates=60", "train.batch_size=16", "train.momentum=0.9", "checkpoint.every=12"],
      ...["probe.every=3", "probe.points=24", "probe.until=end", "intervention.epsilon=0.2", "intervention.k_max=24"],
      "evaluate.images_per_corruption=48",
    ],
    passages: {
      "journal.append": 60,
      "journal.performed": 60,
      "grant.obeyed": 25,
      "update.made": 60,
      "boundary.measured": 22,
      "storage.sync": 42,
      "storage.drafted": 6,
      "storage.renamed": 6,
      "checkpoint.saved": 6,
      "stored.removing": 4,
      "file.aside": 6,
      "best.kept": 0,
      "cache.aside": 4,
    },
  },
  /** An encoder of XLM-R's form with random weights: LoRA, AdamW, dropout; validated, and the best weights kept. */
  text: {
    share: 2,
    updates: 30,
    command: ({ runFolder, work }) => [
      ...["run", "xquad-small", "--run-dir", runFolder, "--headless", ...PATIENT],
      ...[`model.pretrained=${join(work, "texts", "encoder")}`, `data.path=${join(work, "texts", "xquad")}`],
      ...["data.languages=[en,de]", "train.updates=30", "train.batch_size=4", "train.learning_rate=0.05"],
      ...["probe.every=2", "probe.points=8", "intervention.k_max=10", "evaluate.every=6", "checkpoint.every=8"],
    ],
    prepare: ({ work }) => {
      if (existsSync(join(work, "texts"))) return;
      const writer = join(ROOT, "test", "fixtures", "write_texts.py");
      const env = { ...process.env, PYTHONPATH: join(ROOT, "python") };
      const { status, stderr } = spawnSync(projectPython(), [writer, join(work, "texts")], { env, encoding: "utf8" });
      if (status !== 0) throw new Error(`the texts cannot be written: ${stderr}`);
    },
    passages: {
      "journal.append": 50,
      "journal.performed": 50,
      "grant.obeyed": 18,
      "update.made": 30,
      "boundary.measured": 14,
      "storage.sync": 50,
      "storage.drafted": 8,
      "storage.renamed": 8,
      "checkpoint.saved": 4,
      "stored.removing": 3,
      "file.aside": 6,
      "best.kept": 3,
      "cache.aside": 2,
    },
  },
  /** A script of one's own under `attach`: AdamW, dropout, gradients accumulated over four batches, its own checkpoints. */
  script: {
    share: 2,
    goesOn: SCRIPT_DIED,
    updates: 60,
    command: ({ runFolder, home }) => [
      ...["attach", "--run-dir", runFolder, "--headless", "--restart", "supervision.max_restarts=1000"],
      ...["supervision.restart_delay_seconds=0.05", "probe.every=3", "intervention.epsilon=0.2"],
      ...["intervention.k_max=24", "--", projectPython(), join(ROOT, "scripts", "chaos", "accumulating_script.py")],
      join(home, "script.pt"),
    ],
    passages: {
      "journal.append": 40,
      "journal.performed": 40,
      "grant.obeyed": 20,
      "update.made": 60,
      "boundary.measured": 18,
      "storage.sync": 0,
      "storage.drafted": 0,
      "storage.renamed": 0,
      "checkpoint.saved": 0,
      "stored.removing": 0,
      "file.aside": 6,
      "best.kept": 0,
      "cache.aside": 0,
    },
  },
};
