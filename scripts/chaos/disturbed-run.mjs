// One run from its beginning to its end, through all hits of its plan.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { JournalWatch } from "./journal-watch.mjs";
import { processesOf, send, signalRoles, untilGone } from "./processes.mjs";
import { armed, hasJournal, outputOf, start } from "./program.mjs";

const POLL_MILLISECONDS = 10;
/** What no process of a run may outlive its controller by. */
export const ORPHAN_SECONDS = 5;
/** A run hangs when nothing was journaled for so many looks in a row: looks, so that a pause of this process is none. */
const LOOKS_UNTIL_HUNG = 40_000;
/** A hit whose moment does not come, such as the tenth passage of a place that is passed nine times. */
const NOT_REACHED = "not reached";

/** A run, and what becomes of it: `hits`, each with its `outcome`, `problems` in sentences, and `orphanSeconds`. */
export class DisturbedRun {
  #folders;
  #model;
  #startSeconds;
  #program = null;
  #watch = null;
  /** When the latest start, of the run or of a worker that is started again, began. */
  #began = 0;
  #resumedByHand = 0;
  hits;
  problems = [];
  orphanSeconds = [];

  /** `startSeconds`: how long an undisturbed start takes on this machine. */
  constructor(folders, model, hits, startSeconds) {
    this.#folders = folders;
    this.#model = model;
    this.#startSeconds = startSeconds;
    this.hits = hits.map((hit, index) => ({ ...hit, outcome: null, file: join(folders.home, "hits", String(index)) }));
  }

  /** Starts it, hits it as planned, resumes it after each death of its controller; returns once it has ended. */
  async toTheEnd() {
    for (let refused = []; ;) {
      const command = this.#command(refused.length === 1);
      const end = await this.#oneController(command);
      if (end === 0) break;
      if (end === "SIGKILL") {
        refused = [];
        await this.#expectNoOrphans();
        continue;
      }
      if (end === 1 && this.#mayGoOn()) continue;
      refused.push(`\`${command[0]}\` ended with ${end}: ${outputOf(this.#folders)}`);
      const beginsAnew = end === 2 && !hasJournal(this.#folders);
      if (beginsAnew && refused.length === 1) continue;
      this.problems.push(...refused);
      // A run that neither command begins is told of, and begun anew: what comes after it is still worth a look.
      if (!beginsAnew || refused.length > 2) break;
      rmSync(this.#folders.runFolder, { recursive: true, force: true });
    }
    await this.#expectNoOrphans();
    for (const hit of this.hits) hit.outcome ??= NOT_REACHED;
  }

  /** Whether the latest failure is what this kind of run is documented to say of the death that it was dealt. */
  #mayGoOn() {
    const killed = this.hits.filter(({ outcome }) => outcome?.includes("worker")).length;
    this.#resumedByHand += 1;
    return this.#resumedByHand <= killed && this.#model.goesOn?.test(outputOf(this.#folders)) === true;
  }

  /** One process of the command line, from its start to its end. */
  async #oneController(command) {
    this.#watch = new JournalWatch(this.#folders.runFolder);
    this.#program = start(this.#folders, command, armed(this.#hitsToArm()));
    this.#began = performance.now();
    for (let [looks, seen] = [0, -1]; this.#program.end === null; looks += 1) {
      this.#watch.look();
      if (this.#watch.position !== seen) [looks, seen] = [0, this.#watch.position];
      if (looks === LOOKS_UNTIL_HUNG) this.#endHung();
      await this.#hitWhatIsDue();
      await sleep(POLL_MILLISECONDS);
    }
    this.#noteFired();
    return this.#program.end;
  }

  #endHung() {
    const living = processesOf(this.#place());
    this.problems.push(`it hangs: ${living.map(({ role, state }) => `${role} (${state})`).join(", ")}`);
    for (const { pid } of living) send(pid, "SIGKILL");
  }

  /** Where there is a record, `resume`; before the first one whichever of both takes what there is. */
  #command(other) {
    const { runFolder } = this.#folders;
    const resumes = hasJournal(this.#folders) !== other;
    return resumes ? ["resume", runFolder, "--headless"] : this.#model.command(this.#folders);
  }

  #pending() {
    return this.hits.filter(({ outcome }) => outcome === null);
  }

  /** All failpoints up to the first that ends the controller: after it, others are told anew. */
  #hitsToArm() {
    const failpoints = this.#pending().filter(({ when }) => when.at === "failpoint");
    const last = failpoints.findIndex(({ when }) => when.by === "controller");
    return last < 0 ? failpoints : failpoints.slice(0, last + 1);
  }

  async #hitWhatIsDue() {
    this.#noteFired();
    const [next] = this.#pending();
    if (next === undefined || next.when.at === "failpoint" || !this.#isDue(next.when)) return;
    if (next.when.at === "update") await sleep(next.when.milliseconds);
    if (next.action === "stop") await this.#stop(next);
    else this.#kill(next, next.victims);
  }

  /** Of failpoints: whoever came by is dead, and those who are to die with it follow at once. */
  #noteFired() {
    for (const hit of this.#pending()) {
      if (hit.when.at !== "failpoint" || !existsSync(hit.file)) continue;
      this.#kill(
        hit,
        hit.victims.filter((victim) => victim !== hit.when.by),
        [hit.when.by],
      );
    }
  }

  #kill(hit, roles, already = []) {
    // Between two workers there is none to kill: the moment comes again. A guard that was killed does not.
    if (already.length === 0 && !this.#areThere(roles)) return;
    const killed = [...already, ...signalRoles(this.#place(), roles, "SIGKILL")];
    hit.outcome = killed.join("+");
    this.#began = performance.now();
    this.#watch.update = 0;
  }

  #areThere(roles) {
    const there = processesOf(this.#place()).map(({ role }) => role);
    const needed = roles.length === 1 ? roles : roles.filter((role) => role !== "guard");
    return needed.every((role) => there.includes(role));
  }

  async #stop(hit) {
    const stopped = processesOf(this.#place()).filter(({ role }) => hit.victims.includes(role));
    if (stopped.length === 0) return;
    for (const { pid } of stopped) send(pid, "SIGSTOP");
    await sleep(hit.seconds * 1000);
    for (const { pid } of stopped) send(pid, "SIGCONT");
    hit.outcome = "stopped";
  }

  #isDue(when) {
    if (when.at === "update") return this.#watch.update >= when.update;
    return performance.now() - this.#began >= when.share * this.#startSeconds * 1000;
  }

  #place() {
    return `${this.#folders.home}/`;
  }

  async #expectNoOrphans() {
    const { seconds, left } = await untilGone(this.#place(), ORPHAN_SECONDS);
    this.orphanSeconds.push(seconds);
    for (const { pid, role, state, command } of left) {
      this.problems.push(`a ${role} lives ${ORPHAN_SECONDS} s after its controller (${state}): ${command.join(" ")}`);
      send(pid, "SIGKILL");
    }
  }
}
