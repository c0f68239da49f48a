import { isFinite } from "../../core/detector/signal.js";
import { closedWords } from "./closed-words.js";
import type { State } from "../../core/state.js";
import type { EventRecord, JournalRecord } from "../../journal/format.js";
import { observeRecord, readable } from "../../journal/replay.js";
import { LivedSeconds } from "../../runs/lived-seconds.js";
import { describeNews } from "../../words/sentences.js";
import type { AttemptFacts, JudgedPoint, LogLine, LossPoint, RunFacts } from "./run-facts.js";

/** While it is recorded. */
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A journal's records in, in order; what a report needs of them out. None of the records is kept. */
export class RunRecorder {
  state: State | null = null;
  numRecords = 0;
  readonly lived = new LivedSeconds();
  readonly log: LogLine[] = [];
  readonly judgements: JudgedPoint[] = [];
  readonly learningRates: RunFacts["learningRates"][number][] = [];
  readonly attempts: Mutable<AttemptFacts>[] = [];
  loss: LossPoint[] = [];
  began = "";
  lastHeard = "";

  /** @throws UserError `foreign_record` */
  take(records: readonly EventRecord[]): void {
    this.lived.take(records);
    for (const record of records) this.#takeOne(record);
  }

  #takeOne(read: EventRecord): void {
    const before = this.state;
    const { state, record } = observeRecord(before, read);
    this.state = state;
    this.numRecords += 1;
    if (this.began === "") this.began = record.at;
    this.lastHeard = record.at;
    this.#followLoss(before, state);
    this.#followAttempts(record);
    const { decisions = [], commands = [] } = record;
    // Most records are of training that goes on, and say nothing new.
    if (record.event.type === "worker/progressed" && decisions.length === 0 && commands.length === 0) return;
    for (const sentence of readable(record, () => describeNews(record, state))) {
      this.log.push({ at: record.at, ...sentence });
    }
    for (const decision of decisions) {
      if (decision.type === "signal/judged") {
        const { update, signal, judgement } = decision;
        this.judgements.push({ update, signal, judgement });
      }
      if (decision.type === "history/voided") this.#goBackTo(decision.step);
    }
  }

  /** Without a loss where there was one, a script has gone back: what came after the furthest boundary is void. */
  #followLoss(before: State | null, state: State): void {
    const { loss, frontier } = state.progress;
    if ((before?.progress.loss ?? null) === loss) return;
    if (loss === null) this.loss = this.loss.filter(({ step }) => step < frontier);
    else this.loss.push({ step: loss.step, loss: isFinite(loss.loss) ? loss.loss : NaN });
  }

  #goBackTo(step: number): void {
    const kept = this.judgements.filter(({ update }) => update <= step + 1);
    this.judgements.splice(0, this.judgements.length, ...kept);
    const rates = this.learningRates.filter(({ update }) => update <= step + 1);
    this.learningRates.splice(0, this.learningRates.length, ...rates);
  }

  #followAttempts({ at, event, decisions = [] }: JournalRecord): void {
    switch (event.type) {
      case "attempt/launched":
        this.attempts.push({
          number: event.attempt,
          launched: at,
          host: null,
          resumedFrom: null,
          lastUpdate: null,
          ended: null,
        });
        break;
      case "worker/connected":
        this.#amend(event.attempt, { host: event.body.host });
        break;
      case "worker/prepared":
        this.#amend(event.attempt, { resumedFrom: event.body.resumed_from });
        this.#tellRates(event.body.resumed_from + 1, event.body.learning_rates);
        break;
      case "worker/applied":
        this.#tellRates(event.body.update, event.body.learning_rates);
        break;
      case "worker/reachedBoundary":
        this.#amend(event.attempt, { lastUpdate: event.body.update });
        break;
      case "worker/closed":
        this.#amend(event.attempt, { ended: closedWords(event.body) });
        break;
      default:
        break;
    }
    for (const decision of decisions) {
      if (decision.type === "attempt/ended") this.#amend(decision.attempt, { ended: decision.why });
    }
  }

  #amend(number: number, facts: Partial<AttemptFacts>): void {
    const attempt = this.attempts.findLast((one) => one.number === number);
    if (attempt !== undefined) Object.assign(attempt, facts);
  }

  /** The first word about an update stands: after a resume the same is told again. */
  #tellRates(update: number, rates: readonly number[]): void {
    if ((this.learningRates.at(-1)?.update ?? 0) < update) this.learningRates.push({ update, rates });
  }
}
